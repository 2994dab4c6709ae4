//! The variables of `curl -w`, and those of a format that curl does not know either.

/// The variables in the order of `%{json}`.
pub const VARIABLES: [&str; 48] = [
    "certs",
    "content_type",
    "errormsg",
    "exitcode",
    "filename_effective",
    "ftp_entry_path",
    "http_code",
    "http_connect",
    "http_version",
    "local_ip",
    "local_port",
    "method",
    "num_certs",
    "num_connects",
    "num_headers",
    "num_redirects",
    "num_retries",
    "proxy_ssl_verify_result",
    "proxy_used",
    "redirect_url",
    "referer",
    "remote_ip",
    "remote_port",
    "response_code",
    "scheme",
    "size_download",
    "size_header",
    "size_request",
    "size_upload",
    "speed_download",
    "speed_upload",
    "ssl_verify_result",
    "time_appconnect",
    "time_connect",
    "time_namelookup",
    "time_posttransfer",
    "time_pretransfer",
    "time_queue",
    "time_redirect",
    "time_starttransfer",
    "time_total",
    "tls_earlydata",
    "url",
    "url_effective",
    "urlnum",
    "xfer_id",
    "conn_id",
    "curl_version",
];

/// Those that stand for more than one value, or that say where to print.
const OTHERS: [&str; 5] = ["json", "header_json", "stdout", "stderr", "onerror"];

/// What `format` names and curl does not know: nothing stands for it.
pub(super) fn unknown(format: &str) -> Vec<String> {
    // A percent sign is written so.
    let format = format.replace("%%", "");
    let named = format.split("%{").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    let unknown = named.filter(|name| !VARIABLES.contains(name) && !OTHERS.contains(name));
    unknown.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_curl_does_not_know_is_found() {
        assert_eq!(unknown("%{http_code} %{nosuch}\\n%{json}%{} %{stderr}"), ["nosuch", ""]);
        assert!(unknown("%header{x-no} %%{no} %{http_code %").is_empty());
    }
}
