//! Names become names, or nothing.

use super::FilePath;

#[test]
fn request_paths_become_file_paths() {
    for (path, file) in [
        ("/", "index.html"),
        ("/a", "a"),
        ("/a/", "a/index.html"),
        ("/a/b.js", "a/b.js"),
        ("/%61", "a"),
        ("/%2561", "%61"),
        ("/a%20b", "a b"),
        ("/.well-known/x", ".well-known/x"),
    ] {
        assert_eq!(FilePath::read(path).unwrap().as_str(), file, "{path}");
    }
}
