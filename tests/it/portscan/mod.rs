//! `portscan` against a filtered server in the lab, beside nmap.

mod hostile;
mod rights;
mod scanning;
mod truth;
