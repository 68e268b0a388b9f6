# List the recipes.
default:
    @just --justfile {{ justfile() }} --list

# Format, lint, test and check the dependencies: what a change must pass before the rest.
check: fmt lint test deny

# Format everything.
fmt:
    cargo fmt --all

# Lint as the gate does.
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Run the tests on SQLite.
test *ARGS:
    cargo test --workspace --locked {{ ARGS }}

# Run the tests on SQLite and on a PostgreSQL of their own.
test-postgres *ARGS:
    TEST_POSTGRES=$(.ci/postgres start) cargo test --workspace --locked {{ ARGS }}
    .ci/postgres stop

# Check the dependencies: advisories, licences, sources (needs cargo-deny).
deny:
    cargo deny check

# Try the server out, with everything made for you.
dev *ARGS:
    cargo run -- dev {{ ARGS }}

# Build the documentation of the crates.
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# Build the release binary.
release:
    cargo build --release --locked

# Let clients written by others use the release binary.
clients: release
    tests/clients/run

# Look at the pages of the release binary with a real browser; pictures go to target/screenshots.
browser: release
    tests/browser/run

# Walk the conformance plans against the release binary.
conformance: release
    conformance/check

# Everything that a change must pass, as the gate runs it.
gate:
    .ci/run
