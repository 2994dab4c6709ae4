//! What is wrong with a TLS server, or worth knowing. Nothing is asked here: the report is judged.
//!
//! Identifiers are testssl.sh's where they mean the same.

use std::time::Duration;

use super::report::{Finding, Report, Revocation};
use super::weakness::weaknesses;
use crate::net::tls::{Certificate, Verdict};
use crate::probe::Severity::{self, Critical, Info, Warning};
use crate::units::Timestamp;

/// A clock that is off by more is worth knowing; by more than the second, certificates and tickets suffer.
const SKEW_MS: [f64; 2] = [5_000.0, 300_000.0];
/// Bits of an RSA or DSA key that nobody breaks (NIST SP 800-57), and those that many can.
const KEY_BITS: [u64; 2] = [2048, 1024];

/// What is to be said of `report` at `now`, where certificates should hold for `warn` at least; the worst first.
pub(super) fn findings(report: &Report, now: Timestamp, warn: Duration) -> Vec<Finding> {
    let mut list = List(Vec::new());
    list.handshake(report);
    list.verdict(report);
    list.chain(report);
    list.expiry(report, now, warn);
    list.own(report);
    list.staple(report, now);
    list.transparency(report, now);
    list.around(report);
    for (severity, id, text) in report.scan.iter().flat_map(weaknesses) {
        list.add(severity, id, text);
    }
    list.0.sort_by_key(|finding| finding.severity);
    list.0
}

struct List(Vec<Finding>);

impl List {
    fn add(&mut self, severity: Severity, id: &str, text: impl Into<String>) {
        self.0.push(Finding { id: id.to_owned(), severity, text: text.into() });
    }

    fn handshake(&mut self, report: &Report) {
        if let Some(why) = &report.handshake_error {
            let text = format!("a modern client cannot shake hands with it: {why}");
            self.add(Critical, "handshake", text);
        }
        if let Some(early) = report.injected_bytes.filter(|early| *early > 0) {
            let text = format!(
                "{early} octets came in the clear after it had agreed to TLS: who sits in between can put words into its mouth"
            );
            self.add(Critical, "starttls_injection", text);
        }
        let old = report.version.as_deref().filter(|version| !matches!(*version, "TLSv1.2" | "TLSv1.3"));
        if let Some(old) = old {
            self.add(
                Critical,
                "TLS1_2",
                format!("{old} is the best that it offers: modern clients refuse that"),
            );
        }
    }

    fn verdict(&mut self, report: &Report) {
        let why = report.verify_error.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
        match report.verify_path {
            Verdict::Untrusted if report.built.missing.is_some() => {
                let missing = report.built.missing.as_deref().unwrap_or_default();
                let text = format!(
                    "its path ends before {missing}, whose certificate was not sent and who is no authority that is believed here"
                );
                self.add(Critical, "cert_chain_of_trust", text);
            }
            Verdict::Untrusted => {
                let own = report.chain_count == 1 && report.built.path.len() == 1;
                let text = if own {
                    "it has signed its certificate itself: nobody vouches for it".to_owned()
                } else {
                    format!("no authority that is believed here stands behind its certificate{why}")
                };
                self.add(Critical, "cert_chain_of_trust", text);
            }
            Verdict::Other => {
                self.add(Critical, "cert_chain_of_trust", format!("its certificate cannot be believed{why}"));
            }
            Verdict::Revoked => self.add(Critical, "cert_revocation", "its certificate has been revoked"),
            // Expiry says when.
            Verdict::Ok | Verdict::Expired | Verdict::NotYet | Verdict::Name => {}
        }
        // Of what cannot be read by who judges, the names cannot be judged.
        let strays = !report.name_match && report.verify_path != Verdict::Other;
        if let Some(own) = report.chain.first().filter(|own| own.subject.is_some()).filter(|_| strays) {
            let names = match own.sans.as_slice() {
                [] => "no name at all".to_owned(),
                names => names.iter().take(5).cloned().collect::<Vec<_>>().join(", "),
            };
            let more = own.sans_count.saturating_sub(5);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let asked = report.server_name.as_deref().unwrap_or("the address that was asked");
            self.add(
                Critical,
                "cert_trust",
                format!("its certificate is for {names}{more}, not for {asked}"),
            );
        }
    }

    fn chain(&mut self, report: &Report) {
        if !report.built.path.is_empty() && !report.built.in_order {
            let text = "certificates were sent in another order than that of the path: strict clients refuse";
            self.add(Warning, "certs_list_ordering_problem", text);
        }
        let superfluous = report.chain_count.saturating_sub(report.chain.len() as u64)
            + report.built.superfluous.len() as u64;
        if superfluous > 0 && report.built.missing.is_none() {
            let verb = if superfluous == 1 { "certificate is" } else { "certificates are" };
            let text = format!("{superfluous} {verb} sent that the path does without: octets for nothing");
            self.add(Info, "certs_countServer", text);
        }
    }

    fn expiry(&mut self, report: &Report, now: Timestamp, warn: Duration) {
        let used = report.built.path.iter().filter_map(|link| usize::try_from(link.sent?).ok());
        for (place, one) in used.filter_map(|place| Some((place, report.chain.get(place)?))) {
            let whose = whose(place, one);
            let (Some(from), Some(until)) = (one.not_before, one.not_after) else { continue };
            let left = until.duration_since(now);
            let days = left.as_secs().unsigned_abs() / 86_400;
            if left.is_negative() {
                let text = format!("{whose} has expired: {days} days ago, on {}", day(until));
                self.add(Critical, "cert_expirationStatus", text);
            } else if left.unsigned_abs() < warn {
                let text = format!("{whose} expires in {days} days, on {}", day(until));
                self.add(Warning, "cert_expirationStatus", text);
            }
            if from > now {
                let text = format!("{whose} is not valid before {}", day(from));
                self.add(Critical, "cert_notBefore", text);
            }
        }
    }

    /// Keys and signatures of what the path needs.
    fn own(&mut self, report: &Report) {
        for link in &report.built.path {
            let place = link.sent.and_then(|sent| usize::try_from(sent).ok());
            let Some((place, one)) = place.and_then(|place| Some((place, report.chain.get(place)?))) else {
                continue;
            };
            let whose = whose(place, one);
            if let Some(bits) = one.key_bits.filter(|bits| *bits < KEY_BITS[0]) {
                let severity = if bits < KEY_BITS[1] { Critical } else { Warning };
                self.add(
                    severity,
                    "cert_keySize",
                    format!("{whose} has a key of {bits} bits: that can be broken"),
                );
            }
            let signature = one.signature.as_deref().unwrap_or_default().to_ascii_lowercase();
            // A self-issued one proves nothing by its signature.
            let is_own = one.subject == one.issuer;
            let is_weak = ["md5", "md2", "sha1", "sha-1"].iter().any(|weak| signature.contains(weak));
            if is_weak && !is_own {
                let text = format!("{whose} is signed by {signature}, which can be forged");
                self.add(Critical, "cert_signatureAlgorithm", text);
            }
        }
        let Some(own) = report.chain.first() else { return };
        if own.must_staple == Some(true) && !report.ocsp.stapled {
            let text = "its certificate demands a stapled OCSP response (must-staple), and none was sent";
            self.add(Critical, "cert_mustStapleExtension", text);
        }
    }

    fn staple(&mut self, report: &Report, now: Timestamp) {
        let staple = &report.ocsp;
        if staple.status == Some(Revocation::Revoked) && report.verify_path != Verdict::Revoked {
            let text = "the OCSP response that it staples says that its certificate has been revoked";
            self.add(Critical, "cert_revocation", text);
        }
        if let Some(until) = staple.next_update.filter(|until| *until < now) {
            let text = format!("the OCSP response that it staples is out of date since {}", day(until));
            self.add(Warning, "OCSP_stapling", text);
        }
        if staple.matches == Some(false) {
            let text = "the OCSP response that it staples is about another certificate";
            self.add(Warning, "OCSP_stapling", text);
        }
        if staple.stapled && staple.status.is_none() {
            self.add(Warning, "OCSP_stapling", "what it staples is no OCSP response that says anything");
        }
    }

    /// Promises of logs that cannot be kept. That there are none is nobody's fault: many authorities are private.
    fn transparency(&mut self, report: &Report, now: Timestamp) {
        let at = report.transparency.timestamps.iter().filter_map(|one| one.at).max();
        if let Some(at) = at.filter(|at| *at > now) {
            let text = format!("a certificate log's timestamp is of {}, which has not come yet", day(at));
            self.add(Warning, "certificate_transparency", text);
        }
    }

    /// What has to do with connections, not with certificates.
    fn around(&mut self, report: &Report) {
        if let Some(skew) =
            report.http.and_then(|http| http.clock_skew_ms).filter(|skew| skew.abs() > SKEW_MS[0])
        {
            let severity = if skew.abs() > SKEW_MS[1] { Warning } else { Info };
            let way = if skew > 0.0 { "before" } else { "behind" };
            let text = format!("its clock is {:.0} s {way} this host's", skew.abs() / 1000.0);
            self.add(severity, "HTTP_clock_skew", text);
        }
        let resumption = report.resumption;
        if resumption.is_some_and(|resumption| resumption.early_data == Some(true)) {
            let text = "it accepts early data (0-RTT), which others can send again";
            self.add(Info, "early_data", text);
        }
        if report.wants_client_certificate == Some(true) {
            self.add(Info, "clientAuth", "it wants the client's certificate");
        }
    }
}

/// What a certificate is called in a sentence.
fn whose(place: usize, one: &Certificate) -> String {
    match place {
        0 => "its certificate".to_owned(),
        _ => format!("the certificate of {}", one.subject.as_deref().unwrap_or("an authority")),
    }
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
