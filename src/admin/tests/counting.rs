//! What strangers send makes no series, however much of it comes (G-05).

use super::*;

/// Hosts, paths, methods, origins, cookies and ids that nobody has ever sent before.
async fn storm(world: &World, from: usize) {
    for number in from..from + 500 {
        let host = match number % 3 {
            0 => "shop.example.com".to_owned(),
            1 => format!("host-{number}.example"),
            _ => "x".repeat(number % 200),
        };
        let method = ["GET", "POST", "BREW", "OPTIONS", "DELETE"][number % 5];
        let path = ["api", "oauth-agent", "oauth-agent/session", "metrics", ".."][number / 5 % 5];
        let request = Request::builder()
            .method(method)
            .uri(format!("/{path}/{number}?user={number}"))
            .header("host", host)
            .header("origin", format!("https://o{number}.example"))
            .header("token-handler-version", (number % 2).to_string())
            .header(
                "cookie",
                format!("__Host-Http-shop-at=v{number}; __Host-Http-a{number}-rt=1"),
            )
            .body(RequestBody::Empty)
            .unwrap();
        world.admin.0.handler.handle(request, [127, 0, 0, 1].into()).await;
        let asked = request_of_admin(number);
        world.ask(asked).await;
    }
}

fn request_of_admin(number: usize) -> Request<&'static str> {
    request("GET", &format!("/{number}")).body("").unwrap()
}

async fn series(world: &World) -> Vec<String> {
    let (_, text) = world.ask(request("GET", "/metrics").body("").unwrap()).await;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
        .collect()
}

#[tokio::test]
async fn no_traffic_makes_more_series() {
    let world = World::new();
    storm(&world, 0).await;
    let before = series(&world).await;
    assert!(
        before.iter().any(|one| one.contains("code=\"route_not_found\"")),
        "{before:?}"
    );
    storm(&world, 500).await;
    assert_eq!(series(&world).await, before);
    assert!(before.len() < 200, "{}", before.len());
}
