//! The manual page of `httptrace`.

use super::HttpTrace;
use crate::probe::{Manual, Options};

impl Options for HttpTrace {
    const MANUAL: Manual = Manual {
        name: "httptrace",
        about: "What an answer of HTTP takes: DNS, TCP, TLS, first byte, transfer",
        text: "Asks for a URL once, or -c times, and tells what each phase took: look-up, connection, TLS handshake, request, \
               first byte, transfer; redirects are legs with phases of their own. Addresses of both families race (RFC 8305), \
               and the report lists who took part. HTTP/2 is spoken where the server offers it. With --http3, HTTP/3 races the others where Alt-Svc of an earlier \
               redirect or repeat or the name's HTTPS record (RFC 9460) says that it is to be had, or nothing is known; an HTTPS \
               record that does not offer it keeps it from being tried.\n\n\
               A certificate that is not believed ends the run; -k goes on, and the report says so and what is wrong. An answer \
               is a result whatever its status: --expect, -f and --fail-on decide whether it is good enough.\n\n\
               Flags are curl's where curl has such a flag, and -w takes its variables. Other than curl it follows redirects \
               (--no-location does not), throws the body away (-o keeps it), takes 10 MiB of it at most (--max-bytes) and ends \
               after a minute (-m). Proxies of the environment are not used. What tells who asks (Authorization, Cookie and the \
               like) is masked in records and HAR files, data of the request is not recorded at all.",
        examples: &[
            ("waddleperf httptrace https://www.example", "the phases, as a waterfall"),
            (
                "waddleperf httptrace -c 20 https://www.example",
                "medians and 95th percentiles of new connections",
            ),
            (
                "waddleperf httptrace -c 20 --keepalive https://www.example",
                "the same over one connection: what the server alone takes",
            ),
            ("waddleperf httptrace -c 20 --resume https://www.example", "what resuming a TLS session saves"),
            (
                "waddleperf httptrace --expect status=200 --expect json:/status=ok https://api.example/health",
                "a check: end with 1 unless the answer is right",
            ),
            (
                "waddleperf httptrace -o page.html --har page.har https://www.example",
                "keep the page, and a file that browsers' tools show",
            ),
            (
                "waddleperf httptrace -w '%{http_code} %{time_starttransfer}\\n' https://www.example",
                "curl's variables, for scripts that have them",
            ),
            (
                "waddleperf httptrace --resolve www.example:443:192.0.2.1 https://www.example",
                "ask one certain server",
            ),
        ],
        files: &[],
        see_also: &["curl(1)", "waddleperf-ping(1)"],
    };
}
