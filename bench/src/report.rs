//! The tables, and the targets that are met or missed.

use serde_json::{Value, json};

use crate::{
    figures::count,
    run::{Bound, Workload},
};

/// What one run found.
pub(crate) struct Report {
    pub(crate) workloads: Vec<Workload>,
    pub(crate) limits: Vec<(&'static str, f64)>,
    pub(crate) memory: Vec<(&'static str, f64)>,
    pub(crate) start: Option<f64>,
    pub(crate) second_core: Option<f64>,
    /// Whether the load then shared that core with the server.
    pub(crate) shared: bool,
}

/// Something that was promised.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) found: f64,
    pub(crate) wanted: f64,
    /// The same, reckoned in time on the processor.
    pub(crate) by_cpu: Option<f64>,
    /// Whether more is better.
    pub(crate) at_least: bool,
}

impl Target {
    pub(crate) fn met(&self) -> bool {
        if self.at_least { self.found >= self.wanted } else { self.found <= self.wanted }
    }
}

const RATIOS: [(&str, f64); 7] = [
    ("client_credentials RS256", 0.90),
    ("client_credentials ES256", 0.60),
    ("refresh, one token", 0.75),
    ("refresh, two tokens", 0.75),
    ("introspection of a JWT", 0.50),
    ("JWKS", 0.80),
    ("discovery", 0.80),
];

impl Report {
    pub(crate) fn targets(&self) -> Vec<Target> {
        let mut targets = Vec::new();
        for (name, wanted) in RATIOS {
            let busiest = self.workload(name).and_then(|workload| workload.measured.last());
            if let Some(busiest) = busiest {
                let what = format!("{name}, {} connections", busiest.load.connections);
                let (found, by_cpu) = (busiest.ratio(), Some(busiest.share()));
                targets.push(Target { what, found, wanted, by_cpu, at_least: true });
            }
        }
        if let Some(measured) = self.workload(RATIOS[0].0).and_then(|it| it.measured.last()) {
            let load = &measured.load;
            let fair = count(load.connections) / load.per_second;
            targets.push(Target {
                what: format!("{}, p99 / (connections / throughput)", RATIOS[0].0),
                found: load.p99.as_secs_f64() / fair,
                wanted: 1.5,
                by_cpu: None,
                at_least: false,
            });
        }
        let idle = self.memory.first().map(|(_, found)| ("idle memory, MB", *found, 20.0));
        let start = self.start.map(|found| ("start to ready, ms", found, 30.0));
        for (what, found, wanted) in [idle, start].into_iter().flatten() {
            let what = what.to_owned();
            targets.push(Target { what, found, wanted, by_cpu: None, at_least: false });
        }
        targets
    }

    pub(crate) fn errors(&self) -> usize {
        self.loads().map(|(_, measured)| measured.load.errors).sum()
    }

    pub(crate) fn text(&self) -> String {
        let mut lines = vec![
            "| workload | connections | requests/s | p50 ms | p99 ms | CPU s/1000 | server busy \
             | load busy | errors | resident MB | limit/s | ratio | CPU ratio |"
                .to_owned(),
            "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |"
                .to_owned(),
        ];
        for (workload, measured) in self.loads() {
            let load = &measured.load;
            lines.push(format!(
                "| {} | {} | {:.0} | {:.2} | {:.2} | {:.3} | {:.0} % | {:.0} % | {} | {} | {:.0} | {:.2} | {:.2} |",
                workload.name,
                load.connections,
                load.per_second,
                load.p50.as_secs_f64() * 1e3,
                load.p99.as_secs_f64() * 1e3,
                load.cpu_per_thousand,
                load.server_busy * 100.0,
                load.own_busy * 100.0,
                load.errors,
                measured.memory.map_or_else(|| "—".to_owned(), |memory| format!("{memory:.0}")),
                measured.limit.per_second,
                measured.ratio(),
                measured.share(),
            ));
        }
        lines.extend([
            String::new(),
            "| limit | per second |".to_owned(),
            "| --- | --: |".to_owned(),
        ]);
        lines.extend(self.limits.iter().map(|(name, rate)| format!("| {name} | {rate:.0} |")));
        lines.extend([String::new(), "| resident | MB |".to_owned(), "| --- | --: |".to_owned()]);
        lines.extend(self.memory.iter().map(|(when, found)| format!("| {when} | {found:.1} |")));
        lines.extend([
            String::new(),
            "| target | found | by CPU time | wanted | met |".to_owned(),
            "| --- | --: | --: | --: | --- |".to_owned(),
        ]);
        for target in self.targets() {
            let (sign, met) = (if target.at_least { "≥" } else { "≤" }, target.met());
            let met = if met { "yes" } else { "no" };
            let (what, found, wanted) = (&target.what, target.found, target.wanted);
            let by_cpu = target.by_cpu.map_or_else(String::new, |found| format!("{found:.2}"));
            lines.push(format!("| {what} | {found:.2} | {by_cpu} | {sign} {wanted} | {met} |"));
        }
        let second = self.second_core.map_or_else(
            || "not measured".to_owned(),
            |gain| {
                let shared = if self.shared { ", although the load took part of it" } else { "" };
                format!("{gain:.2} times the requests of one core{shared}")
            },
        );
        lines.push(format!("\nSecond core: {second}."));
        for (workload, measured) in self.loads() {
            if let Some(error) = &measured.load.first_error {
                let connections = measured.load.connections;
                lines.push(format!("Error in {}, {connections}: {error}", workload.name));
            }
        }
        lines.join("\n")
    }

    pub(crate) fn json(&self) -> Value {
        let workloads = self.loads().map(|(workload, measured)| {
            let load = &measured.load;
            json!({
                "workload": workload.name,
                "bound": bound(workload.bound),
                "connections": load.connections,
                "requests": load.requests,
                "requests_per_second": load.per_second,
                "p50_ms": load.p50.as_secs_f64() * 1e3,
                "p99_ms": load.p99.as_secs_f64() * 1e3,
                "server_cpu_seconds_per_1000": load.cpu_per_thousand,
                "server_busy": load.server_busy,
                "own_busy": load.own_busy,
                "errors": load.errors,
                "resident_mb": measured.memory,
                "limit_per_second": measured.limit.per_second,
                "limit_cpu_seconds_per_1000": measured.limit.cpu * 1000.0,
                "ratio": measured.ratio(),
                "cpu_ratio": measured.share(),
            })
        });
        let targets = self.targets();
        let targets = targets.iter().map(|target| {
            json!({
                "target": target.what,
                "found": target.found,
                "wanted": target.wanted,
                "by_cpu": target.by_cpu,
                "at_least": target.at_least,
                "met": target.met(),
            })
        });
        let named = |pairs: &[(&'static str, f64)]| -> Value {
            pairs.iter().map(|(name, number)| ((*name).to_owned(), json!(number))).collect()
        };
        json!({
            "workloads": workloads.collect::<Vec<_>>(),
            "limits_per_second": named(&self.limits),
            "resident_mb": named(&self.memory),
            "targets": targets.collect::<Vec<_>>(),
            "second_core": self.second_core,
        })
    }

    fn workload(&self, name: &str) -> Option<&Workload> {
        self.workloads.iter().find(|workload| workload.name == name)
    }

    fn loads(&self) -> impl Iterator<Item = (&Workload, &crate::run::Measured)> {
        self.workloads
            .iter()
            .flat_map(|workload| workload.measured.iter().map(move |measured| (workload, measured)))
    }
}

fn bound(bound: Bound) -> String {
    match bound {
        Bound::Rs256(tokens) => format!("raw RS256 signatures / {tokens}"),
        Bound::Es256Answer(length) => format!("a static answer of {length} bytes and ES256"),
        Bound::Verification => "raw RS256 verifications".to_owned(),
        Bound::Answer(length) => format!("a static answer of {length} bytes"),
        Bound::Argon2 => "Argon2 hashes".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{limits::Limit, load::Load, run::Measured};

    fn report(per_second: f64, limit: f64, p99: u64, errors: usize) -> Report {
        let load = Load {
            connections: 64,
            requests: 1000,
            per_second,
            p50: Duration::from_millis(1),
            p99: Duration::from_millis(p99),
            cpu_per_thousand: 1.0,
            server_busy: 1.0,
            own_busy: 0.1,
            errors,
            first_error: None,
        };
        let limit = Limit { per_second: limit, cpu: 1.0 / limit };
        let measured = vec![Measured { load, limit, memory: None }];
        let name = "client_credentials RS256";
        Report {
            workloads: vec![Workload { name, bound: Bound::Rs256(1), measured }],
            limits: Vec::new(),
            memory: vec![("idle", 12.0)],
            start: Some(31.0),
            second_core: None,
            shared: false,
        }
    }

    #[test]
    fn a_target_is_a_part_of_a_limit() {
        let met = |report: Report| report.targets().iter().map(Target::met).collect::<Vec<_>>();
        // 64 connections at 640 a second wait 100 ms each: p99 may be 150 ms.
        assert_eq!(met(report(640.0, 711.0, 150, 0)), [true, true, true, false]);
        assert_eq!(met(report(640.0, 712.0, 151, 0)), [false, false, true, false]);
    }

    #[test]
    fn every_error_counts() {
        assert_eq!(report(1.0, 1.0, 1, 3).errors(), 3);
    }
}
