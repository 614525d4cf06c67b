//! The `cloakroom` binary: everything it does is in the library.

fn main() -> std::process::ExitCode {
    cloakroom::cli::main()
}
