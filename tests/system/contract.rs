//! Guards the description of the API: what schemathesis makes of it, some of it wrong on purpose and some of it in steps
//! that build on one another, is answered as described, and never by a failure of the service.
//!
//! VW_SCHEMATHESIS names schemathesis's program `st`. VW_CONTRACT_CALLS is how many requests the service has answered at the
//! least before the test ends, VW_CONTRACT_SEED the first seed. tests/contract/schemathesis.toml has the rules.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use vw_tests::service::key;
use vw_tests::world::World;

/// How many requests are enough where nobody says so.
const CALLS: u64 = 400;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}

/// The requests that the service has answered.
fn answered(world: &World) -> u64 {
    let text = world.service.text("/metrics");
    let counts = text.lines().filter(|line| line.starts_with("vw_http_requests_total{"));
    counts.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>() as u64
}

fn schemathesis(world: &World, admin: &str, seed: u64, folder: &Path) -> Command {
    let program = std::env::var("VW_SCHEMATHESIS").expect("VW_SCHEMATHESIS must name schemathesis's program st");
    let mut command = Command::new(program);
    command.args(["--config-file", "schemathesis.toml", "--no-color", "run", &world.service.url("/openapi.json")]);
    command.args(["--seed", &seed.to_string()]).env("VW_KEY", admin).current_dir(folder);
    command
}

#[test]
fn every_request_is_answered_as_described() {
    let world = World::start(&["--auth-failures", "0"]);
    let admin = key(&world.cluster, "app", &["create", "--project", "default", "--scopes", "read,write,admin"]);
    let path = world.collection("things");
    world.index(&path, &[("a", "a hammer", json!({"price": 3})), ("b", "a rose", json!({}))]);
    let folder = tempfile::tempdir().expect("a folder");
    // Hooks are looked for where schemathesis runs, and it leaves files there.
    for name in ["schemathesis.toml", "hooks.py"] {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("contract").join(name);
        std::fs::copy(&own, folder.path().join(name)).expect("its rules");
    }
    let (enough, first) = (number("VW_CONTRACT_CALLS", CALLS), number("VW_CONTRACT_SEED", 1));
    let mut seed = first;
    while answered(&world) < enough {
        let output = schemathesis(&world, &admin, seed, folder.path()).output().expect("schemathesis starts");
        let text = [&output.stdout[..], &output.stderr[..]].concat();
        let text = String::from_utf8_lossy(&text);
        let log = world.service.log();
        let broken: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).collect();
        assert!(output.status.success() && broken.is_empty(), "seed {seed}: {text}\n{}", broken.join("\n"));
        println!("seed {seed}: {} requests answered in all", answered(&world));
        seed += 1;
    }
}
