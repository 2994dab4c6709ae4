
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
            cand ping 'Round-trip time and loss of one target or of many'
            cand udpping 'Round-trip time, loss by direction and one-way delay over UDP'
            cand serve 'Run the test server'
            cand autoperf 'Measure the configured targets, and look closer where something is wrong'
            cand results 'List, show, export, import, sum up and remove what was kept'
            cand health 'Say whether the server is well'
            cand config 'Check the configuration, or print what is in force'
            cand setup 'Links, manual pages, completions, a sample configuration'
        }
        &'waddleperf;ping'= {
            cand --mode 'What is sent, and what counts as a reply'
            cand --port 'Port, and --mode tcp where none is given [default: tcp and http 80, tls, https and quic 443, dns 53]'
            cand --name 'Name that a DNS server is asked for (its NS records), or that a TLS server is asked to be'
            cand -c 'Send this many packets to each target, then stop'
            cand --count 'Send this many packets to each target, then stop'
            cand -i 'Time between two packets [default: 1s to one target; 10ms between different ones, and then each target gets one by --per-target-interval]; bare numbers are seconds'
            cand --interval 'Time between two packets [default: 1s to one target; 10ms between different ones, and then each target gets one by --per-target-interval]; bare numbers are seconds'
            cand --per-target-interval 'Time between two packets to the same one of many targets, fping''s -p [default: 1s]'
            cand -s 'Octets of payload of an echo message'
            cand --size 'Octets of payload of an echo message'
            cand -W 'How long to wait for the reply to each packet; later ones are `late`'
            cand --timeout 'How long to wait for the reply to each packet; later ones are `late`'
            cand -w 'End after this time, however many packets are left; what is in flight then is not counted'
            cand --deadline 'End after this time, however many packets are left; what is in flight then is not counted'
            cand -p 'Fill the payload with these octets, in hexadecimal'
            cand --pattern 'Fill the payload with these octets, in hexadecimal'
            cand -Q 'Type of service, DSCP and ECN in one octet, as ping takes it (46 << 2 = 184 is EF)'
            cand --tos 'Type of service, DSCP and ECN in one octet, as ping takes it (46 << 2 = 184 is EF)'
            cand -M 'Whether packets may be cut on their way, and what becomes of those that are too large'
            cand --pmtudisc 'Whether packets may be cut on their way, and what becomes of those that are too large'
            cand -F 'Measure what this file lists too, a target on each line; `-` is standard input'
            cand --file 'Measure what this file lists too, a target on each line; `-` is standard input'
            cand -C 'Send this many packets to each target, and list the time of each in columns, as fping does'
            cand --vcount 'Send this many packets to each target, and list the time of each in columns, as fping does'
            cand -r 'Ask until each target has answered once, at most this often again [default: 3 with -a or -u]'
            cand --retries 'Ask until each target has answered once, at most this often again [default: 3 with -a or -u]'
            cand -B 'How much longer than the one before each such wait is'
            cand --backoff 'How much longer than the one before each such wait is'
            cand --style 'How text looks'
            cand --source 'Send from this address of this host'
            cand -I 'Send through this network interface, or from this address of this host'
            cand --interface 'Send through this network interface, or from this address of this host'
            cand --dscp 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF)'
            cand -t 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255'
            cand --ttl 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255'
            cand --label 'Label the record; once for each label'
            cand --fail-on 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand -f 'Send the next packet as soon as the last was answered, and 100 each second at least (root, or --force)'
            cand --flood 'Send the next packet as soon as the last was answered, and 100 each second at least (root, or --force)'
            cand --force 'Allow what else only root may: less than 2 ms between two packets to one target, and -f'
            cand --catch-up 'Send packets to one target that were missed by more than one interval at once, instead of counting them as skipped; of many targets none is skipped'
            cand -O 'Say so when a packet is not answered before the next one is sent'
            cand --outstanding 'Say so when a packet is not answered before the next one is sent'
            cand -n 'Never look names up: this is always so, and the flag is taken for the users of ping'
            cand --numeric 'Never look names up: this is always so, and the flag is taken for the users of ping'
            cand -b 'Allow broadcast and multicast addresses, and list who replies'
            cand --broadcast 'Allow broadcast and multicast addresses, and list who replies'
            cand -g 'Take two addresses for the ends of a range, as fping does. Networks and ranges in one word need no flag'
            cand --generate 'Take two addresses for the ends of a range, as fping does. Networks and ranges in one word need no flag'
            cand --yes 'Measure more than 4096 generated addresses'
            cand -a 'Ask until each target has answered once, and list those that have'
            cand --alive 'Ask until each target has answered once, and list those that have'
            cand -u 'Ask until each target has answered once, and list those that have not'
            cand --unreach 'Ask until each target has answered once, and list those that have not'
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

set edit:completion:arg-completer[ping] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'ping'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'ping'= {
            cand --mode 'What is sent, and what counts as a reply'
            cand --port 'Port, and --mode tcp where none is given [default: tcp and http 80, tls, https and quic 443, dns 53]'
            cand --name 'Name that a DNS server is asked for (its NS records), or that a TLS server is asked to be'
            cand -c 'Send this many packets to each target, then stop'
            cand --count 'Send this many packets to each target, then stop'
            cand -i 'Time between two packets [default: 1s to one target; 10ms between different ones, and then each target gets one by --per-target-interval]; bare numbers are seconds'
            cand --interval 'Time between two packets [default: 1s to one target; 10ms between different ones, and then each target gets one by --per-target-interval]; bare numbers are seconds'
            cand --per-target-interval 'Time between two packets to the same one of many targets, fping''s -p [default: 1s]'
            cand -s 'Octets of payload of an echo message'
            cand --size 'Octets of payload of an echo message'
            cand -W 'How long to wait for the reply to each packet; later ones are `late`'
            cand --timeout 'How long to wait for the reply to each packet; later ones are `late`'
            cand -w 'End after this time, however many packets are left; what is in flight then is not counted'
            cand --deadline 'End after this time, however many packets are left; what is in flight then is not counted'
            cand -p 'Fill the payload with these octets, in hexadecimal'
            cand --pattern 'Fill the payload with these octets, in hexadecimal'
            cand -Q 'Type of service, DSCP and ECN in one octet, as ping takes it (46 << 2 = 184 is EF)'
            cand --tos 'Type of service, DSCP and ECN in one octet, as ping takes it (46 << 2 = 184 is EF)'
            cand -M 'Whether packets may be cut on their way, and what becomes of those that are too large'
            cand --pmtudisc 'Whether packets may be cut on their way, and what becomes of those that are too large'
            cand -F 'Measure what this file lists too, a target on each line; `-` is standard input'
            cand --file 'Measure what this file lists too, a target on each line; `-` is standard input'
            cand -C 'Send this many packets to each target, and list the time of each in columns, as fping does'
            cand --vcount 'Send this many packets to each target, and list the time of each in columns, as fping does'
            cand -r 'Ask until each target has answered once, at most this often again [default: 3 with -a or -u]'
            cand --retries 'Ask until each target has answered once, at most this often again [default: 3 with -a or -u]'
            cand -B 'How much longer than the one before each such wait is'
            cand --backoff 'How much longer than the one before each such wait is'
            cand --style 'How text looks'
            cand --source 'Send from this address of this host'
            cand -I 'Send through this network interface, or from this address of this host'
            cand --interface 'Send through this network interface, or from this address of this host'
            cand --dscp 'DSCP (RFC 2474) of what is sent, 0-63 (46 is EF)'
            cand -t 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255'
            cand --ttl 'TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255'
            cand --label 'Label the record; once for each label'
            cand --fail-on 'End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold'
            cand --config 'Read this configuration instead of the system''s or the user''s'
            cand --data 'Keep store, spool, locks and identity here'
            cand -f 'Send the next packet as soon as the last was answered, and 100 each second at least (root, or --force)'
            cand --flood 'Send the next packet as soon as the last was answered, and 100 each second at least (root, or --force)'
            cand --force 'Allow what else only root may: less than 2 ms between two packets to one target, and -f'
            cand --catch-up 'Send packets to one target that were missed by more than one interval at once, instead of counting them as skipped; of many targets none is skipped'
            cand -O 'Say so when a packet is not answered before the next one is sent'
            cand --outstanding 'Say so when a packet is not answered before the next one is sent'
            cand -n 'Never look names up: this is always so, and the flag is taken for the users of ping'
            cand --numeric 'Never look names up: this is always so, and the flag is taken for the users of ping'
            cand -b 'Allow broadcast and multicast addresses, and list who replies'
            cand --broadcast 'Allow broadcast and multicast addresses, and list who replies'
            cand -g 'Take two addresses for the ends of a range, as fping does. Networks and ranges in one word need no flag'
            cand --generate 'Take two addresses for the ends of a range, as fping does. Networks and ranges in one word need no flag'
            cand --yes 'Measure more than 4096 generated addresses'
            cand -a 'Ask until each target has answered once, and list those that have'
            cand --alive 'Ask until each target has answered once, and list those that have'
            cand -u 'Ask until each target has answered once, and list those that have not'
            cand --unreach 'Ask until each target has answered once, and list those that have not'
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
