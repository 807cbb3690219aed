//! Processes of the real program share one PostgreSQL and one simulated cloud, and everything goes wrong that can: replies
//! are lost and calls repeated, workers are killed, stopped and cut off, the server restarts. Each step takes effect once.

#[path = "../kill/outcome.rs"]
mod outcome;
#[path = "../kill/plan.rs"]
mod plan;
mod proxy;
mod rig;
#[path = "../servers/mod.rs"]
mod servers;

use std::time::Duration;

use proxy::Proxy;
use rig::{FOUL_WEATHER, Rig, undisturbed};
use servers::postgres::Shutdown;

/// Steps are under way, and more are done.
const IN_THE_MIDDLE: &str = "count(*) > 15 FROM step_event WHERE event = 'made'";

fn check_weather(workers: usize) {
    let mut rig = Rig::new(FOUL_WEATHER);
    let workers = rig.workers(workers);
    let apply = rig.apply();
    rig.finish(apply);
    rig.assert_each_step_once(&undisturbed());
    let busy = workers.iter().filter(|worker| worker.said().contains(": made ")).count();
    assert!(busy > 1, "only {busy} of {} workers had anything to do", workers.len());
    workers.into_iter().for_each(|worker| drop(worker.drain()));
}

#[test]
fn two_workers_in_foul_weather_do_each_step_once() {
    check_weather(2);
}

#[test]
fn eight_workers_in_foul_weather_do_each_step_once() {
    check_weather(8);
}

#[test]
fn killed_workers_are_replaced_and_each_step_is_done_once() {
    let mut rig = Rig::new(FOUL_WEATHER);
    let mut workers = rig.workers(4);
    let apply = rig.apply();
    for round in 0..8 {
        rig.wait_until(&format!("count(*) > {} FROM step_event WHERE event = 'made'", round * 5));
        workers.remove(0).kill();
        let worker = rig.worker();
        workers.push(worker);
    }
    rig.finish(apply);
    rig.assert_each_step_once(&undisturbed());
}

#[test]
fn a_stopped_worker_loses_its_steps_and_does_no_harm_when_it_wakes() {
    let mut rig = Rig::new(&[("latency_ms", 300)]);
    let sleeper = rig.worker();
    let apply = rig.apply();
    // Its calls have passed the last look at the lease and are on their way to the cloud.
    rig.wait_until(
        "count(*) > 0 FROM step_event AS i WHERE event = 'intent' AND nth = 1
                    AND NOT EXISTS (SELECT 1 FROM step_event AS o WHERE o.step = i.step AND o.nth > 1)",
    );
    sleeper.signal("STOP");
    let others = rig.workers(2);
    rig.finish(apply);
    let expected = undisturbed();
    rig.assert_each_step_once(&expected);
    let events = rig.count("SELECT count(*) FROM step_event");
    sleeper.signal("CONT");
    let told = std::time::Instant::now();
    while !sleeper.said().contains("another worker has it now") {
        assert!(told.elapsed() < Duration::from_secs(60), "{}", sleeper.said());
        std::thread::sleep(Duration::from_millis(20));
    }
    sleeper.drain();
    assert_eq!(rig.count("SELECT count(*) FROM step_event"), events, "late writes are refused");
    rig.assert_each_step_once(&expected);
    others.into_iter().for_each(|worker| drop(worker.drain()));
}

#[test]
fn a_worker_that_is_cut_off_loses_its_steps_and_comes_back() {
    let mut rig = Rig::new(&[("latency_ms", 150)]);
    let folder = rig.url.split("host=").nth(1).expect("a folder").to_owned();
    let wire = Proxy::start(folder.as_ref());
    let url = rig.url.replace(&folder, &wire.folder().display().to_string());
    let line = format!("worker --connections connections.toml --parallelism 3 --lease 2 --journal {url}");
    let far = rig.start(&line);
    let apply = rig.apply();
    rig.wait_until("count(*) > 4 FROM step_event WHERE event = 'made'");
    wire.cut();
    let near = rig.worker();
    rig.finish(apply);
    rig.assert_each_step_once(&undisturbed());
    wire.mend();
    // It is none the worse for it: what is undone now, it can help with.
    near.drain();
    let destroy =
        rig.start("destroy --queue --auto-approve --destroy-data erp --connections connections.toml");
    let (code, said) = destroy.end();
    assert_eq!(code, 0, "{said}\n{}", far.said());
    assert_eq!(outcome::cloud(&rig.path("cloud.json"), "destroyed")["items"], serde_json::json!([]));
    far.drain();
}

#[test]
fn restarts_of_the_server_are_waited_out() {
    let mut rig = Rig::new(&[("latency_ms", 50)]);
    let workers = rig.workers(3);
    let apply = rig.apply();
    for (how, made) in [(Shutdown::Fast, 8), (Shutdown::Immediate, 25)] {
        rig.wait_until(&format!("count(*) > {made} FROM step_event WHERE event = 'made'"));
        rig.server.stop(how);
        std::thread::sleep(Duration::from_millis(500));
        rig.server.start_again();
    }
    rig.finish(apply);
    rig.assert_each_step_once(&undisturbed());
    workers.into_iter().for_each(|worker| drop(worker.drain()));
}

#[test]
fn a_drained_worker_gives_back_at_once_what_it_has_not_begun() {
    let mut rig = Rig::new(&[("latency_ms", 100)]);
    let line = "worker --connections connections.toml --parallelism 4 --lease 3000";
    let first = rig.start(line);
    let apply = rig.apply();
    rig.wait_until(IN_THE_MIDDLE);
    first.drain();
    // With leases of almost an hour, the second could never end this if the first had kept anything.
    let second = rig.start(line);
    rig.finish(apply);
    rig.assert_each_step_once(&undisturbed());
    second.drain();
}

#[test]
fn a_run_has_one_hand_on_it_and_leaves_the_queue_when_its_follower_is_interrupted() {
    let mut rig = Rig::new(&[("latency_ms", 100)]);
    let worker = rig.worker();
    let apply = rig.apply();
    rig.wait_until(IN_THE_MIDDLE);
    for line in [
        "apply plan.json --auto-approve --connections connections.toml",
        "apply plan.json --queue --auto-approve --connections connections.toml",
    ] {
        let refused = rig.run(line);
        assert_eq!(refused.status.code(), Some(7), "{}", String::from_utf8_lossy(&refused.stderr));
    }
    let run = rig.sql("SELECT id FROM run");
    let refused = rig.run(&format!("resume {run} --confirm all --connections connections.toml"));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(7), "{said}");
    assert!(said.contains("the queue, with process"), "{said}");

    apply.signal("INT");
    let (code, said) = apply.end();
    assert_eq!(code, 130, "{said}");
    assert_eq!(rig.count("SELECT count(*) FROM step_queue WHERE worker IS NOT NULL"), 0);
    let resumed = rig.run("resume --confirm all --connections connections.toml");
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stderr));
    rig.assert_each_step_once(&undisturbed());
    worker.drain();
}

#[test]
fn limits_hold_across_workers() {
    const RUN: usize = 5;
    const REGION: usize = 3;
    for (settings, line, limit) in [
        (&[("latency_ms", 100)][..], "--parallelism 5", RUN),
        (&[("latency_ms", 100), ("calls_at_once", REGION as u64)][..], "--parallelism 64", REGION),
    ] {
        let mut rig = Rig::new(settings);
        let workers = rig.workers(4);
        let apply = rig.start(&format!(
            "apply plan.json --queue --auto-approve --confirm all --connections connections.toml {line}"
        ));
        let mut most = 0;
        while rig.sql("SELECT count(*) FROM run WHERE phase = 'finished'") != "1" {
            most = most.max(rig.count("SELECT count(*) FROM step_queue WHERE worker IS NOT NULL"));
        }
        assert_eq!(most, limit, "{line}: twelve steps could have been under way");
        rig.finish(apply);
        rig.assert_each_step_once(&undisturbed());
        workers.into_iter().for_each(|worker| drop(worker.drain()));
    }
}

#[test]
fn a_worker_leaves_runs_on_other_clouds_to_others() {
    let mut rig = Rig::new(&[]);
    rig.connect("elsewhere.toml", "another-cloud.json", &[]);
    let queued = rig
        .run("apply plan.json --queue --detach --auto-approve --confirm all --connections connections.toml");
    assert!(queued.status.success(), "{}", String::from_utf8_lossy(&queued.stderr));
    let stranger = rig.start("worker --connections elsewhere.toml --until-idle");
    let (code, said) = stranger.end();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("left to others"), "{said}");
    assert!(!rig.path("another-cloud.json").exists());
    let (code, said) = rig.start("worker --connections connections.toml --until-idle").end();
    assert_eq!(code, 0, "{said}");
    rig.assert_each_step_once(&undisturbed());
}

#[test]
fn no_password_is_taken_on_the_command_line_or_printed() {
    let rig = Rig::new(&[]);
    let secret = "s3cret-journal-password";
    let with_password = rig.url.replace("postgres@", &format!("postgres:{secret}@"));
    let refused = rig.run(&format!("status --journal {with_password}"));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("PGPASSFILE") && !said.contains(secret), "{said}");

    for address in [with_password.clone(), with_password.replace("/test0", "/nowhere")] {
        let mut command = rig.program("status -v --journal env:CARAFE_JOURNAL");
        let output = command.env("CARAFE_JOURNAL", &address).output().expect("the program starts");
        let said = [output.stdout, output.stderr].concat();
        assert!(!String::from_utf8_lossy(&said).contains(secret));
        assert_eq!(output.status.success(), address == with_password, "{}", String::from_utf8_lossy(&said));
    }
}

#[test]
fn what_no_run_in_the_database_knows_is_found_and_the_doctor_looks_there_too() {
    let mut rig = Rig::new(&[]);
    let (code, said) = rig.apply_alone().end();
    assert_eq!(code, 0, "{said}");
    let told = |output: &std::process::Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let doctor = rig.run("doctor --connections connections.toml");
    assert!(told(&doctor).contains("the database opens and holds 1 run"), "{}", told(&doctor));
    let sweep = format!("sweep --connections connections.toml --place {}/{}", plan::PROVIDER, plan::REGION);
    let clean = rig.run(&format!("{sweep} --format json"));
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&clean.stdout).expect("JSON")["orphans"],
        serde_json::json!([])
    );
    for table in ["step_event", "step_queue", "run"] {
        rig.sql(&format!("DELETE FROM {table}"));
    }
    let left = outcome::cloud(&rig.path("cloud.json"), "lost")["items"].as_array().expect("a list").len();
    let lost = rig.run(&format!("{sweep} --remove --remove-count {left}"));
    assert!(lost.status.success(), "{}", told(&lost));
    assert_eq!(outcome::cloud(&rig.path("cloud.json"), "swept")["items"], serde_json::json!([]));
    rig.server.stop(Shutdown::Fast);
    assert_eq!(rig.run("doctor --connections connections.toml").status.code(), Some(1));
}
