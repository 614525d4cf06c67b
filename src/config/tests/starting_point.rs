//! The shipped `config.toml` works once its two files are there.

use super::super::Variables;
use super::{Config, World};

const SHIPPED: &str = include_str!("../../../config.toml");

fn world() -> World {
    let world = World::new();
    std::fs::create_dir(world.path().join("keys")).unwrap();
    world.file(
        "keys/cookie.key",
        "oFzSBdSPbqXQ8VCEGZzNLYVhKSaR9qsfvVhJu2oPrVQ=\n",
    );
    world.file("keys/client-secret", "zq-secret");
    std::fs::create_dir(world.path().join("dist")).unwrap();
    world
}

#[test]
fn it_loads_without_a_warning() {
    let world = world();
    let path = world.path().join("config.toml");
    std::fs::write(&path, SHIPPED).unwrap();
    let checked = Config::check(&path, &Variables::default());
    assert!(checked.problems.is_empty(), "{}", checked.problems);
    assert!(SHIPPED.lines().count() <= 60);
}

/// What is commented out as a default is one: taking the `#` away changes nothing but `spa`.
#[test]
fn its_commented_keys_are_the_defaults() {
    let world = world();
    let uncommented = SHIPPED
        .lines()
        .skip_while(|line| !line.starts_with('['))
        .map(|line| line.strip_prefix("# ").unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n");
    assert_ne!(uncommented, SHIPPED);
    let uncommented = uncommented
        .replace("spa = { dir", "# spa = { dir")
        // Shown with an example value, as its comment says.
        .replace("methods = [\"GET\", \"POST\"]", "# methods");
    let parse = |text: &str| {
        format!(
            "{:?}",
            world.parse(text).unwrap_or_else(|problems| panic!("{problems}"))
        )
    };
    assert_eq!(parse(&uncommented), parse(SHIPPED));
}
