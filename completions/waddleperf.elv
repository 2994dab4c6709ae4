
use builtin;
use str;

set edit:completion:arg-completer[waddleperf] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'waddleperf'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'waddleperf'= {
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand udpping 'Round-trip time, loss by direction and one-way delay over UDP'
            cand mtr 'The hops to a target: who answers, how fast, and where packets are lost'
            cand serve 'Run the test server'
            cand autoperf 'Measure the configured targets, and look closer where something is wrong'
            cand results 'List, show, export, import, sum up and remove what was kept'
            cand health 'Say whether the server is well'
            cand config 'Check the configuration, or print what is in force'
            cand setup 'Links, manual pages, completions, a sample configuration'
        }
        &'waddleperf;udpping'= {
            cand -p 'UDP port of the reflector [default: 2000; stamp and twamp: 862]'
            cand --port 'UDP port of the reflector [default: 2000; stamp and twamp: 862]'
            cand --protocol 'Format of the packets'
            cand -c 'Send this many packets, then stop'
            cand --count 'Send this many packets, then stop'
            cand -i 'Time between two packets (or bursts), kept by an absolute plan; bare numbers are seconds'
            cand --interval 'Time between two packets (or bursts), kept by an absolute plan; bare numbers are seconds'
            cand --schedule 'How the intervals are drawn: all alike, or exponentially distributed around the same mean (RFC 3432)'
            cand --burst 'Packets sent back to back at each point of the schedule'
            cand -s 'Octets of UDP payload; formats round it up to what they need'
            cand -l 'Octets of UDP payload; formats round it up to what they need'
            cand --size 'Octets of UDP payload; formats round it up to what they need'
            cand -W 'How long to wait for the reply to each packet; later ones are `late`'
            cand --timeout 'How long to wait for the reply to each packet; later ones are `late`'
            cand -w 'Stop sending after this time, however many packets are left (irtt''s -d)'
            cand -d 'Stop sending after this time, however many packets are left (irtt''s -d)'
            cand --deadline 'Stop sending after this time, however many packets are left (irtt''s -d)'
            cand --key-file 'File with the key that the reflector shares (its octets, without white space at the ends)'
            cand --source 'Send from this address of this host'
            cand -I 'Send through this network interface, or from this address of this host'
            cand --interface 'Send through this network interface, or from this address of this host'
            cand --ttl 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255'
            cand --dscp 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF)'
            cand --label 'Label the record; once for each label'
            cand --fail-on 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --assume-synced 'Report one-way delays although nothing proves that the two clocks agree'
            cand --catch-up 'Send packets that were missed by more than one interval at once, instead of counting them as skipped'
            cand -4 'Use IPv4 only'
            cand --ipv4 'Use IPv4 only'
            cand -6 'Use IPv6 only'
            cand --ipv6 'Use IPv6 only'
            cand --ecn 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
            cand --json 'Print the record as one line of JSON'
            cand --csv 'Print the record as CSV: a header, then a row of base units'
            cand -q 'Print only the summary'
            cand --quiet 'Print only the summary'
            cand -D 'Begin each line with its time, in seconds since 1970'
            cand --timestamps 'Begin each line with its time, in seconds since 1970'
            cand --watch 'Measure again and again, and draw it on a terminal, until told to stop'
            cand --save 'Keep the record in the store (the file''s store.save makes this the rule)'
            cand --no-save 'Keep nothing, whatever store.save says'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'waddleperf;mtr'= {
            cand --strategy 'How the number of a probe is carried: paris keeps all probes of a flow on one path, classic is traceroute''s, whose ports vary (for firewalls that want those)'
            cand -c 'Trace this many cycles, then stop'
            cand --count 'Trace this many cycles, then stop'
            cand --report-cycles 'Trace this many cycles, then stop'
            cand -i 'Time from one cycle to the next; bare numbers are seconds'
            cand --interval 'Time from one cycle to the next; bare numbers are seconds'
            cand --flows 'Trace this many flows side by side: each keeps its own path'
            cand --mda 'Find every path that load balancing offers, once, instead of tracing cycle after cycle: lite or full'
            cand --confidence 'How sure --mda shall be that it misses no next hop of a node, in percent'
            cand -P 'Destination port of UDP and TCP [default: 33434; quic: 443, tcp: 80]'
            cand --port 'Destination port of UDP and TCP [default: 33434; quic: 443, tcp: 80]'
            cand -L 'Source port of the first flow over UDP and TCP; further flows take the next ones'
            cand --localport 'Source port of the first flow over UDP and TCP; further flows take the next ones'
            cand -s 'Octets of each probe''s IP packet; what a probe needs at least is kept'
            cand --size 'Octets of each probe''s IP packet; what a probe needs at least is kept'
            cand --psize 'Octets of each probe''s IP packet; what a probe needs at least is kept'
            cand -f 'TTL of the first hop'
            cand --first-ttl 'TTL of the first hop'
            cand -m 'TTL of the last hop at most'
            cand --max-ttl 'TTL of the last hop at most'
            cand -U 'Give up after this many silent hops in a row'
            cand --max-unknown 'Give up after this many silent hops in a row'
            cand -Z 'How long to wait for the reply to each probe; later ones are `late`'
            cand --timeout 'How long to wait for the reply to each probe; later ones are `late`'
            cand -G 'How long to wait for the last replies [default: half more than the longest round trip, 100 ms to 1 s]'
            cand --gracetime 'How long to wait for the last replies [default: half more than the longest round trip, 100 ms to 1 s]'
            cand -y 'Show each hop''s AS number (0) or country (2), from a local database (mtr''s numbers)'
            cand --ipinfo 'Show each hop''s AS number (0) or country (2), from a local database (mtr''s numbers)'
            cand --geo 'Database of AS numbers or countries (MMDB) [default: those in /usr/share/GeoIP]'
            cand -o 'Columns of the report, by mtr''s letters: L loss, D dropped, R received, S sent, N newest, B best, A average, W worst, V deviation, G geometric mean, J jitter, M its mean, X its worst, I interarrival jitter'
            cand --order 'Columns of the report, by mtr''s letters: L loss, D dropped, R received, S sent, N newest, B best, A average, W worst, V deviation, G geometric mean, J jitter, M its mean, X its worst, I interarrival jitter'
            cand --format 'The form of the report'
            cand --source 'Send from this address of this host'
            cand -I 'Send through this network interface, or from this address of this host'
            cand --interface 'Send through this network interface, or from this address of this host'
            cand --ttl 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255'
            cand --dscp 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF)'
            cand --label 'Label the record; once for each label'
            cand --fail-on 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --icmp 'Probe with ICMP echo requests, which is the rule for one flow'
            cand -u 'Probe with UDP datagrams, which is the rule for several flows'
            cand --udp 'Probe with UDP datagrams, which is the rule for several flows'
            cand -T 'Probe with TCP SYNs; a port that answers is reset at once'
            cand --tcp 'Probe with TCP SYNs; a port that answers is reset at once'
            cand --quic 'Probe with UDP datagrams of 1200 octets, as QUIC''s first, to port 443'
            cand -n 'Do not look up the names of addresses'
            cand --no-dns 'Do not look up the names of addresses'
            cand -r 'Print a report, which is the rule here (mtr''s letter)'
            cand --report 'Print a report, which is the rule here (mtr''s letter)'
            cand -w 'Cut no names in the report'
            cand --report-wide 'Cut no names in the report'
            cand -b 'Show addresses beside names'
            cand --show-ips 'Show addresses beside names'
            cand -z 'Show the number of each hop''s autonomous system, from a local database'
            cand --aslookup 'Show the number of each hop''s autonomous system, from a local database'
            cand -j 'As `--format mtr-json`'
            cand --mtr-json 'As `--format mtr-json`'
            cand -C 'As `--format mtr-csv`'
            cand --mtr-csv 'As `--format mtr-csv`'
            cand -l 'As `--format mtr-raw`'
            cand --mtr-raw 'As `--format mtr-raw`'
            cand --raw 'As `--format mtr-raw`'
            cand -4 'Use IPv4 only'
            cand --ipv4 'Use IPv4 only'
            cand -6 'Use IPv6 only'
            cand --ipv6 'Use IPv6 only'
            cand --ecn 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
            cand --json 'Print the record as one line of JSON'
            cand --csv 'Print the record as CSV: a header, then a row of base units'
            cand -q 'Print only the summary'
            cand --quiet 'Print only the summary'
            cand -D 'Begin each line with its time, in seconds since 1970'
            cand --timestamps 'Begin each line with its time, in seconds since 1970'
            cand --watch 'Measure again and again, and draw it on a terminal, until told to stop'
            cand --save 'Keep the record in the store (the file''s store.save makes this the rule)'
            cand --no-save 'Keep nothing, whatever store.save says'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'waddleperf;serve'= {
            cand --listen 'Where a service listens, or `NAME=off`; once for each (udpping, on, port 2000; stamp, off, port 862)'
            cand --udp-key-file 'File with the key that UDP clients must share'
            cand --user 'The account to become when started as root'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --udp-legacy 'Also echo what is no session of ours, verbatim, to private addresses only'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'waddleperf;autoperf'= {
            cand --target 'Measure only this target; may be repeated'
            cand --tier 'Run this tier now, whatever the state; its budget still counts'
            cand --stagger 'First wait for a time up to this, which is this host''s own: so that hosts with one crontab do not burst'
            cand --if-locked 'What to do when another process measures already and takes no orders: end with 75, or with 0 and silently'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --ignore-budget 'Run it although the day''s budget is spent'
            cand --strict 'End with 1 when a target is bad'
            cand --nagios 'End with a Nagios plugin''s codes and print its line, with performance data'
            cand --json 'Print each run''s record as one line of JSON'
            cand -q 'Print nothing but failures'
            cand --quiet 'Print nothing but failures'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand run 'One round of every target now, and what it leads to (also without this word)'
            cand daemon 'Measure on the schedule, in the foreground until told to stop'
            cand check 'Print what would be measured, how often, and the most that it sends; nothing is sent'
            cand status 'Print how the targets are'
        }
        &'waddleperf;autoperf;run'= {
            cand --target 'Measure only this target; may be repeated'
            cand --tier 'Run this tier now, whatever the state; its budget still counts'
            cand --stagger 'First wait for a time up to this, which is this host''s own: so that hosts with one crontab do not burst'
            cand --if-locked 'What to do when another process measures already and takes no orders: end with 75, or with 0 and silently'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --ignore-budget 'Run it although the day''s budget is spent'
            cand --strict 'End with 1 when a target is bad'
            cand --nagios 'End with a Nagios plugin''s codes and print its line, with performance data'
            cand --json 'Print each run''s record as one line of JSON'
            cand -q 'Print nothing but failures'
            cand --quiet 'Print nothing but failures'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'waddleperf;autoperf;daemon'= {
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'waddleperf;autoperf;check'= {
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'waddleperf;autoperf;status'= {
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --json 'Print one line of JSON for each target'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'waddleperf;results'= {
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
            cand list 'List records, newest first, one a line'
            cand show 'Show one record'
            cand export 'Write records for another program, oldest first'
            cand stats 'Count what there is, and sum up each series'
            cand prune 'Remove what is old'
            cand verify 'Check the whole store'
            cand ids 'List ids alone'
            cand import 'Keep what ping, pping, mtr, iperf3, irtt or an earlier WaddlePerf measured'
        }
        &'waddleperf;results;list'= {
            cand --kind 'Only this kind (also autoperf and gap); may be given several times'
            cand --target 'Only this target, * stands for any text; may be given several times'
            cand --label 'Only with this label; may be given several times'
            cand --since 'From then on: a span before now (6h) or RFC 3339'
            cand --until 'Before then: a span before now (1h) or RFC 3339'
            cand --limit 'At most so many records'
            cand --after 'Go on behind this cursor, which a limited answer names'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --oldest 'Oldest first'
            cand --json 'Print one JSON object: records, and the cursor for more'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'waddleperf;results;show'= {
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --json 'Print the record as one line of JSON'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'waddleperf;results;export'= {
            cand --kind 'Only this kind (also autoperf and gap); may be given several times'
            cand --target 'Only this target, * stands for any text; may be given several times'
            cand --label 'Only with this label; may be given several times'
            cand --since 'From then on: a span before now (6h) or RFC 3339'
            cand --until 'Before then: a span before now (1h) or RFC 3339'
            cand --limit 'At most so many records'
            cand --after 'Go on behind this cursor, which a limited answer names'
            cand --format 'How it is written'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'waddleperf;results;stats'= {
            cand --kind 'Only this kind (also autoperf and gap); may be given several times'
            cand --target 'Only this target, * stands for any text; may be given several times'
            cand --label 'Only with this label; may be given several times'
            cand --since 'From then on: a span before now (6h) or RFC 3339'
            cand --until 'Before then: a span before now (1h) or RFC 3339'
            cand --scalar 'The number that is told of each series'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --json 'Print one line of JSON'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'waddleperf;results;prune'= {
            cand --older 'Remove raw records that are older than this, by whole hours before the newest record [default: as store.retention says]'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --dry-run 'Only say how many'
            cand --json 'Print one line of JSON'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'waddleperf;results;verify'= {
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --json 'Print one line of JSON'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'waddleperf;results;ids'= {
            cand --kind 'Only this kind (also autoperf and gap); may be given several times'
            cand --target 'Only this target, * stands for any text; may be given several times'
            cand --label 'Only with this label; may be given several times'
            cand --since 'From then on: a span before now (6h) or RFC 3339'
            cand --until 'Before then: a span before now (1h) or RFC 3339'
            cand --limit 'At most so many records'
            cand --after 'Go on behind this cursor, which a limited answer names'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --json 'Print one JSON object: ids, and the cursor for more'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'waddleperf;results;import'= {
            cand --format 'Which tool wrote it'
            cand --at 'When it was measured, where the content does not say [default: when the file was written]'
            cand --label 'A label for every record; may be given several times'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --json 'Print one JSON object: the ids'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'waddleperf;health'= {
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --json 'Print one line of JSON'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'waddleperf;config'= {
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
            cand check 'Say whether the configuration is right; the first fault is named with its line'
            cand print 'Print the configuration in force, defaults filled in, secrets hidden'
        }
        &'waddleperf;config;check'= {
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'waddleperf;config;print'= {
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'waddleperf;setup'= {
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
            cand links 'Make the names by which a command is called alone, such as `udpping`'
            cand completions 'Print a shell''s completions, or write all shells'' into a directory'
            cand man 'Write the manual pages'
            cand docs 'Write the reference of records and configuration (Markdown)'
            cand config 'Print a commented configuration to begin with'
            cand cron 'Print the crontab line for `autoperf run`, or install it'
            cand timer 'Print the systemd units for `autoperf run`, or write them'
        }
        &'waddleperf;setup;links'= {
            cand --dir 'Where to make them [default: ~/.local/bin]'
            cand --prefix 'Put this before each name, such as `wp-`'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --upstream 'Also the names of earlier tools (perfDB, waddledb, ppingParser)'
            cand --force 'Replace other files of these names'
            cand --hard 'Make hard links'
            cand --sym 'Make symbolic links, which is the default'
            cand --list 'Only list the names'
            cand --remove 'Remove the links again; nothing else is touched'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'waddleperf;setup;completions'= {
            cand --dir 'Write the files of all shells here'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'waddleperf;setup;man'= {
            cand --dir 'Where to; made if it does not exist'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'waddleperf;setup;docs'= {
            cand --dir 'Where to; made if it does not exist'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'waddleperf;setup;config'= {
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'waddleperf;setup;cron'= {
            cand --every 'Time between two rounds: whole minutes that divide an hour, or whole hours that divide a day'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --install 'Put the line into this account''s crontab, in the place of an earlier one'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'waddleperf;setup;timer'= {
            cand --every 'Time between two rounds: whole minutes that divide an hour, or whole hours that divide a day'
            cand --dir 'Where to write them'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --install 'Write the units, instead of printing them; `systemctl enable --now waddleperf-autoperf.timer` starts them'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
    ]
    $completions[$command]
}

use builtin;
use str;

set edit:completion:arg-completer[udpping] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'udpping'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'udpping'= {
            cand -p 'UDP port of the reflector [default: 2000; stamp and twamp: 862]'
            cand --port 'UDP port of the reflector [default: 2000; stamp and twamp: 862]'
            cand --protocol 'Format of the packets'
            cand -c 'Send this many packets, then stop'
            cand --count 'Send this many packets, then stop'
            cand -i 'Time between two packets (or bursts), kept by an absolute plan; bare numbers are seconds'
            cand --interval 'Time between two packets (or bursts), kept by an absolute plan; bare numbers are seconds'
            cand --schedule 'How the intervals are drawn: all alike, or exponentially distributed around the same mean (RFC 3432)'
            cand --burst 'Packets sent back to back at each point of the schedule'
            cand -s 'Octets of UDP payload; formats round it up to what they need'
            cand -l 'Octets of UDP payload; formats round it up to what they need'
            cand --size 'Octets of UDP payload; formats round it up to what they need'
            cand -W 'How long to wait for the reply to each packet; later ones are `late`'
            cand --timeout 'How long to wait for the reply to each packet; later ones are `late`'
            cand -w 'Stop sending after this time, however many packets are left (irtt''s -d)'
            cand -d 'Stop sending after this time, however many packets are left (irtt''s -d)'
            cand --deadline 'Stop sending after this time, however many packets are left (irtt''s -d)'
            cand --key-file 'File with the key that the reflector shares (its octets, without white space at the ends)'
            cand --source 'Send from this address of this host'
            cand -I 'Send through this network interface, or from this address of this host'
            cand --interface 'Send through this network interface, or from this address of this host'
            cand --ttl 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255'
            cand --dscp 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF)'
            cand --label 'Label the record; once for each label'
            cand --fail-on 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --assume-synced 'Report one-way delays although nothing proves that the two clocks agree'
            cand --catch-up 'Send packets that were missed by more than one interval at once, instead of counting them as skipped'
            cand -4 'Use IPv4 only'
            cand --ipv4 'Use IPv4 only'
            cand -6 'Use IPv6 only'
            cand --ipv6 'Use IPv6 only'
            cand --ecn 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
            cand --json 'Print the record as one line of JSON'
            cand --csv 'Print the record as CSV: a header, then a row of base units'
            cand -q 'Print only the summary'
            cand --quiet 'Print only the summary'
            cand -D 'Begin each line with its time, in seconds since 1970'
            cand --timestamps 'Begin each line with its time, in seconds since 1970'
            cand --watch 'Measure again and again, and draw it on a terminal, until told to stop'
            cand --save 'Keep the record in the store (the file''s store.save makes this the rule)'
            cand --no-save 'Keep nothing, whatever store.save says'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
    ]
    $completions[$command]
}

use builtin;
use str;

set edit:completion:arg-completer[mtr] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'mtr'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'mtr'= {
            cand --strategy 'How the number of a probe is carried: paris keeps all probes of a flow on one path, classic is traceroute''s, whose ports vary (for firewalls that want those)'
            cand -c 'Trace this many cycles, then stop'
            cand --count 'Trace this many cycles, then stop'
            cand --report-cycles 'Trace this many cycles, then stop'
            cand -i 'Time from one cycle to the next; bare numbers are seconds'
            cand --interval 'Time from one cycle to the next; bare numbers are seconds'
            cand --flows 'Trace this many flows side by side: each keeps its own path'
            cand --mda 'Find every path that load balancing offers, once, instead of tracing cycle after cycle: lite or full'
            cand --confidence 'How sure --mda shall be that it misses no next hop of a node, in percent'
            cand -P 'Destination port of UDP and TCP [default: 33434; quic: 443, tcp: 80]'
            cand --port 'Destination port of UDP and TCP [default: 33434; quic: 443, tcp: 80]'
            cand -L 'Source port of the first flow over UDP and TCP; further flows take the next ones'
            cand --localport 'Source port of the first flow over UDP and TCP; further flows take the next ones'
            cand -s 'Octets of each probe''s IP packet; what a probe needs at least is kept'
            cand --size 'Octets of each probe''s IP packet; what a probe needs at least is kept'
            cand --psize 'Octets of each probe''s IP packet; what a probe needs at least is kept'
            cand -f 'TTL of the first hop'
            cand --first-ttl 'TTL of the first hop'
            cand -m 'TTL of the last hop at most'
            cand --max-ttl 'TTL of the last hop at most'
            cand -U 'Give up after this many silent hops in a row'
            cand --max-unknown 'Give up after this many silent hops in a row'
            cand -Z 'How long to wait for the reply to each probe; later ones are `late`'
            cand --timeout 'How long to wait for the reply to each probe; later ones are `late`'
            cand -G 'How long to wait for the last replies [default: half more than the longest round trip, 100 ms to 1 s]'
            cand --gracetime 'How long to wait for the last replies [default: half more than the longest round trip, 100 ms to 1 s]'
            cand -y 'Show each hop''s AS number (0) or country (2), from a local database (mtr''s numbers)'
            cand --ipinfo 'Show each hop''s AS number (0) or country (2), from a local database (mtr''s numbers)'
            cand --geo 'Database of AS numbers or countries (MMDB) [default: those in /usr/share/GeoIP]'
            cand -o 'Columns of the report, by mtr''s letters: L loss, D dropped, R received, S sent, N newest, B best, A average, W worst, V deviation, G geometric mean, J jitter, M its mean, X its worst, I interarrival jitter'
            cand --order 'Columns of the report, by mtr''s letters: L loss, D dropped, R received, S sent, N newest, B best, A average, W worst, V deviation, G geometric mean, J jitter, M its mean, X its worst, I interarrival jitter'
            cand --format 'The form of the report'
            cand --source 'Send from this address of this host'
            cand -I 'Send through this network interface, or from this address of this host'
            cand --interface 'Send through this network interface, or from this address of this host'
            cand --ttl 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255'
            cand --dscp 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF)'
            cand --label 'Label the record; once for each label'
            cand --fail-on 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --icmp 'Probe with ICMP echo requests, which is the rule for one flow'
            cand -u 'Probe with UDP datagrams, which is the rule for several flows'
            cand --udp 'Probe with UDP datagrams, which is the rule for several flows'
            cand -T 'Probe with TCP SYNs; a port that answers is reset at once'
            cand --tcp 'Probe with TCP SYNs; a port that answers is reset at once'
            cand --quic 'Probe with UDP datagrams of 1200 octets, as QUIC''s first, to port 443'
            cand -n 'Do not look up the names of addresses'
            cand --no-dns 'Do not look up the names of addresses'
            cand -r 'Print a report, which is the rule here (mtr''s letter)'
            cand --report 'Print a report, which is the rule here (mtr''s letter)'
            cand -w 'Cut no names in the report'
            cand --report-wide 'Cut no names in the report'
            cand -b 'Show addresses beside names'
            cand --show-ips 'Show addresses beside names'
            cand -z 'Show the number of each hop''s autonomous system, from a local database'
            cand --aslookup 'Show the number of each hop''s autonomous system, from a local database'
            cand -j 'As `--format mtr-json`'
            cand --mtr-json 'As `--format mtr-json`'
            cand -C 'As `--format mtr-csv`'
            cand --mtr-csv 'As `--format mtr-csv`'
            cand -l 'As `--format mtr-raw`'
            cand --mtr-raw 'As `--format mtr-raw`'
            cand --raw 'As `--format mtr-raw`'
            cand -4 'Use IPv4 only'
            cand --ipv4 'Use IPv4 only'
            cand -6 'Use IPv6 only'
            cand --ipv6 'Use IPv6 only'
            cand --ecn 'Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168)'
            cand --json 'Print the record as one line of JSON'
            cand --csv 'Print the record as CSV: a header, then a row of base units'
            cand -q 'Print only the summary'
            cand --quiet 'Print only the summary'
            cand -D 'Begin each line with its time, in seconds since 1970'
            cand --timestamps 'Begin each line with its time, in seconds since 1970'
            cand --watch 'Measure again and again, and draw it on a terminal, until told to stop'
            cand --save 'Keep the record in the store (the file''s store.save makes this the rule)'
            cand --no-save 'Keep nothing, whatever store.save says'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
    ]
    $completions[$command]
}

use builtin;
use str;

set edit:completion:arg-completer[autoperf] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'autoperf'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'autoperf'= {
            cand --target 'Measure only this target; may be repeated'
            cand --tier 'Run this tier now, whatever the state; its budget still counts'
            cand --stagger 'First wait for a time up to this, which is this host''s own: so that hosts with one crontab do not burst'
            cand --if-locked 'What to do when another process measures already and takes no orders: end with 75, or with 0 and silently'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --ignore-budget 'Run it although the day''s budget is spent'
            cand --strict 'End with 1 when a target is bad'
            cand --nagios 'End with a Nagios plugin''s codes and print its line, with performance data'
            cand --json 'Print each run''s record as one line of JSON'
            cand -q 'Print nothing but failures'
            cand --quiet 'Print nothing but failures'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand run 'One round of every target now, and what it leads to (also without this word)'
            cand daemon 'Measure on the schedule, in the foreground until told to stop'
            cand check 'Print what would be measured, how often, and the most that it sends; nothing is sent'
            cand status 'Print how the targets are'
        }
        &'autoperf;run'= {
            cand --target 'Measure only this target; may be repeated'
            cand --tier 'Run this tier now, whatever the state; its budget still counts'
            cand --stagger 'First wait for a time up to this, which is this host''s own: so that hosts with one crontab do not burst'
            cand --if-locked 'What to do when another process measures already and takes no orders: end with 75, or with 0 and silently'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --ignore-budget 'Run it although the day''s budget is spent'
            cand --strict 'End with 1 when a target is bad'
            cand --nagios 'End with a Nagios plugin''s codes and print its line, with performance data'
            cand --json 'Print each run''s record as one line of JSON'
            cand -q 'Print nothing but failures'
            cand --quiet 'Print nothing but failures'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'autoperf;daemon'= {
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'autoperf;check'= {
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'autoperf;status'= {
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand --json 'Print one line of JSON for each target'
            cand -v 'Tell more on stderr; twice for traces'
            cand --verbose 'Tell more on stderr; twice for traces'
            cand -h 'Print help'
            cand --help 'Print help'
        }
    ]
    $completions[$command]
}
