//! Every code that reading and validating an estate can report.

/// Code, and what it means and what to do about it. `docs/errors.md` is made from this list.
pub const CODES: &[(&str, &str)] = &[
    (
        "INV-1001",
        "There is no importer of that name. Use one of the listed formats, or leave the format out.",
    ),
    (
        "INV-1002",
        "No importer knows the file. Check that it is an export of a listed format; name the format if it is.",
    ),
    (
        "INV-1003",
        "A JSON value has another type than expected and was left out. Export again, or mend it by hand.",
    ),
    ("INV-1004", "A text is not a number and counts as unknown. Correct it, or leave it empty."),
    (
        "INV-1005",
        "A number is negative, a fraction or too large where that makes no sense; it counts as unknown. Correct it.",
    ),
    (
        "INV-1006",
        "The file is not UTF-8 and was read as Windows-1252. Look at its names; save it as UTF-8 if they are wrong.",
    ),
    (
        "INV-1007",
        "A host has no usable name. Its machine id stands in, or the host was left out. Name it in the source.",
    ),
    (
        "INV-1008",
        "A number such as 1,234 has two readings; the sign was taken as grouping. Write it without signs if that is wrong.",
    ),
    ("INV-1009", "Columns that the format does not know were kept as labels. Nothing needs to be done."),
    ("INV-1010", "The file is empty. Copy or export it again."),
    (
        "INV-1011",
        "A row has more cells than the header and was left out. Put cells that hold the separator in quotation marks.",
    ),
    (
        "INV-1012",
        "The file is no YAML, or its aliases stand for more than it can mean. Export it again, or as JSON.",
    ),
    (
        "INV-1013",
        "The catalog does not know the size of an instance type. Import with one that does, or add sizes by hand.",
    ),
    (
        "INV-1014",
        "A column map cannot be read. Write one line of TOML for each field, such as memory = \"RAM (GB)\".",
    ),
    ("INV-1101", "Two hosts have the same name; the second got a suffix. Check that they are two machines."),
    ("INV-1102", "A host is listed twice in one file and was taken once. Remove one entry if they differ."),
    (
        "INV-1103",
        "Two sources differ on a value of a host. The message says which is kept; correct the other.",
    ),
    (
        "INV-1104",
        "Two machines share a machine id, as copies of one image do. Both are kept; nothing needs to be done.",
    ),
    (
        "INV-1105",
        "A flow, app, load balancer or today's cost is described twice and differently. The message says which is kept.",
    ),
    (
        "INV-1106",
        "More than one host could be the one meant. It was kept apart; give its machine id to join them.",
    ),
    (
        "INV-1107",
        "The order of precedence names a source that is not imported. Name formats or files that are.",
    ),
    (
        "INV-1201",
        "A reference names a host or app that does not exist, and was left out. Use an id of the estate.",
    ),
    (
        "INV-1202",
        "A name is empty, longer than 253 characters, or has control characters. Give the host another one.",
    ),
    ("INV-1203", "Two entries have the same id. Give each its own."),
    ("INV-1204", "Memory is zero or beyond 64 TiB. Check its unit; it counts as unknown on import."),
    (
        "INV-1205",
        "Hardware threads are zero or beyond 4,096. Check the figure; it counts as unknown on import.",
    ),
    (
        "INV-1206",
        "A disk has no capacity or more than 1 PiB. Check its unit; it counts as unknown on import.",
    ),
    ("INV-1207", "More space is in use on a disk than it has. Check both figures."),
    (
        "INV-1208",
        "The instruction set of a host is unknown or one that no cloud sells. Add it, or plan a replacement.",
    ),
    (
        "INV-1209",
        "The hardware threads of a host are unknown, so it cannot be placed. Add them by hand or in the policy.",
    ),
    ("INV-1210", "The memory of a host is unknown, so it cannot be placed. Add it by hand or in the policy."),
    (
        "INV-1211",
        "Disks of a host or their sizes are unknown, so storage cannot be priced. Add them by hand.",
    ),
    ("INV-1212", "A text is not an IP address. Write it as 10.0.0.5/24."),
    ("INV-1213", "A text is not a network. Write it as 10.0.0.0/24."),
    ("INV-1214", "A text or number is not a port. Ports go from 1 to 65535."),
    ("INV-1215", "A flow goes from a host to itself, or touches no host. It costs nothing; take it out."),
    ("INV-1216", "A load balancer has no members, so no region to go to. Add the hosts behind it."),
    ("INV-1217", "A cluster has no workers. Add the hosts that run its workloads."),
    ("INV-1218", "The estate has no hosts. Give a file that lists machines."),
    ("INV-1219", "Traffic or cost is below zero. Leave it out where it is unknown."),
    ("INV-1220", "Measured use contradicts itself. Measure again, or leave it out."),
    (
        "INV-1221",
        "Two hosts have the same name. Check that they are two machines; rules that match by name hold for both.",
    ),
    (
        "INV-1222",
        "A name has characters that cannot be seen, such as a space without width. Take them out in the source.",
    ),
    (
        "INV-1223",
        "Measured use is more than the host has. The planner sizes the host as is; check the unit, or measure again.",
    ),
    (
        "INV-1301",
        "An override is about something that the import no longer has, and was left out. Take it out, or rename it.",
    ),
    (
        "INV-1302",
        "The import says something else than when an override was made. The override holds; take it out if the import is right.",
    ),
    ("INV-1303", "The import says what an override says. The override is not needed any more."),
    (
        "INV-1304",
        "An override names a field that does not exist, or a value that does not fit, and was left out. Correct it.",
    ),
    (
        "INV-2001",
        "The JSON is not an on-premises infrastructure model in its envelope. The message says what it looks like.",
    ),
    ("INV-2002", "The JSON is a bare list. Wrap it in the envelope onpremiseInfraModel."),
    ("INV-2003", "Memory is given in whole GiB, cut off below. The export as collected is exact."),
    (
        "INV-2004",
        "Secrets stand in the file. They were not read; delete them, and change them if the file was shared.",
    ),
    ("INV-2005", "Loopback and container interfaces were left out. Nothing needs to be done."),
    (
        "INV-2006",
        "Hosts report no sockets, as machines of Kubernetes do; their threads were taken as all. Check them.",
    ),
    ("INV-2007", "The model uses the older name servers for its hosts. Nothing needs to be done."),
    (
        "INV-2008",
        "HAProxy was found as collected, without its rules. Use the refined export for load balancers.",
    ),
    (
        "INV-2009",
        "A connection holds nothing collected and was left out. Run its import in cm-honeybee again.",
    ),
    (
        "INV-2010",
        "A firewall rule cannot be understood whole and was left out. Add it by hand; the order of rules decides.",
    ),
    ("INV-2011", "A load balancer lacks its listener, port or backend and was left out. Add it by hand."),
    (
        "INV-2012",
        "Members of a load balancer listen on different ports; the first port is kept. Let them use the same.",
    ),
    ("INV-2013", "Hosts have roles in a cluster that is not described; they were taken as one cluster."),
    ("INV-3001", "The workbook has no sheet vInfo. Export all sheets from RVTools and keep their names."),
    ("INV-3002", "The workbook has a password or is in the old form. Save it as .xlsx without one."),
    ("INV-3003", "The workbook or one of its sheets is damaged. Copy or export it again."),
    ("INV-3004", "The workbook unpacks to far more than such a file can mean. If it is real, split it."),
    ("INV-3005", "The sheet vInfo lacks a column that planning needs. Put its heading back."),
    ("INV-3006", "A sheet is missing; what it would tell is unknown. Export all sheets to have it."),
    ("INV-3007", "Templates, placeholders and vSphere agents were left out. Nothing needs to be done."),
    ("INV-3008", "Disks are sized by provisioned space, which is high. Export the sheet vDisk."),
    (
        "INV-3009",
        "Rows fit more than one machine and were left out. Export with the columns VM ID and VI SDK UUID.",
    ),
    ("INV-3010", "Columns that RVTools does not write were kept as labels. Nothing needs to be done."),
    (
        "INV-3011",
        "The system is a 32-bit one, for which clouds have no images. Plan a new system for this host.",
    ),
    ("INV-3012", "Machines have shared or raw disks, which cannot be copied one by one. Plan them together."),
    (
        "INV-3013",
        "Partitions name no disk, so how full each disk is stays unknown. Newer RVTools export the disk key.",
    ),
    (
        "INV-3014",
        "Rows repeat what another row says; each disk and interface counts once. Nothing needs to be done.",
    ),
    ("INV-3015", "Rows name no machine of vInfo and were left out. Export all sheets in one go."),
    (
        "INV-3016",
        "A file of the export says nothing about where a machine could go and was left out. Nothing needs to be done.",
    ),
    (
        "INV-4001",
        "A file is none of the tables of Google Migration Center. Keep the headings of the template.",
    ),
    (
        "INV-4002",
        "There is no table vmInfo, which lists the machines. Import it together with the other tables.",
    ),
    (
        "INV-4003",
        "Rows name a machine that vmInfo does not list, and were left out. Export all tables in one go.",
    ),
    (
        "INV-4004",
        "Every figure of a row is zero, which is how collectors write what they did not measure. It counts as unknown.",
    ),
    (
        "INV-4005",
        "A time of a measurement cannot be read, and the row was left out. Write times as 2026-03-01T14:30:00Z.",
    ),
    (
        "INV-4006",
        "Free memory is always zero, so it was not measured; use of memory is unknown. Measure it otherwise.",
    ),
    (
        "INV-4007",
        "Network figures of this collector are no rates and count as unknown. Take them from flow logs.",
    ),
    ("INV-4008", "Times name no zone and were taken as UTC. Nothing needs to be done."),
    (
        "INV-4009",
        "Cores could be those of the machine or of each processor. Give the number of logical cores.",
    ),
    ("INV-4010", "A column map names a field that hosts do not have. The message lists the fields."),
    ("INV-4011", "A column map names a column that the table does not have. Correct it, or the map."),
    ("INV-4012", "No column holds the names of the machines. Say with a column map which one does."),
    ("INV-4013", "The file holds no facts of any host. Gather them with the module setup."),
    ("INV-4014", "The facts of one host are damaged, and it was left out. Gather them again."),
    ("INV-4015", "Ansible did not reach a host, which is not in the estate. Gather its facts again."),
    ("INV-5001", "Volumes are attached to no machine and were left out. Delete them if nobody needs them."),
    (
        "INV-5002",
        "A rule names a group that no machine is in, and was left out. List all machines if some are missing.",
    ),
    ("INV-5003", "A load balancer has no known members and was left out. List them too, or add it by hand."),
    ("INV-5004", "Terminated machines were left out. Nothing needs to be done."),
    (
        "INV-5005",
        "Part of a load balancer cannot be told apart from others and was left out. The message says what to add.",
    ),
    ("INV-5006", "The state is encrypted. Decrypt it first."),
    ("INV-5007", "The state has an old version. Let a newer program rewrite it."),
    ("INV-5008", "Resources for which an estate has no place were not taken over. Plan them by hand."),
    ("INV-5009", "A pool of nodes does not say how many it has, and was left out. Add its nodes by hand."),
    ("INV-5010", "Workloads of Kubernetes are listed without nodes. Export the nodes too."),
    ("INV-5011", "Volume claims are mounted by no listed pod and were left out. Export the pods too."),
    ("INV-5012", "The XML cannot be read. Write it again."),
    (
        "INV-5013",
        "Sizes of disks are not in the XML of a domain. Give what qemu-img info or vol-dumpxml prints too.",
    ),
    ("INV-5014", "The file holds no domain. Write domains with virsh dumpxml."),
    (
        "INV-5015",
        "A device of the hypervisor is passed through to a machine. No cloud has it; plan a replacement.",
    ),
    ("INV-6001", "No reader of traffic knows the file. Name its format if it is one of those listed."),
    ("INV-6002", "A gzip file is damaged, or unpacks to far more than a log can. Copy it again."),
    ("INV-6003", "Refused traffic was left out, since nothing was transferred. Nothing needs to be done."),
    (
        "INV-6004",
        "Bytes are counted, but not over which time, so volumes stay unknown. Say how long the records cover.",
    ),
    (
        "INV-6005",
        "The records cover less than a day, and a month is taken to go on like that. Collect over a week.",
    ),
    (
        "INV-6006",
        "Neither end of a flow is a host of the estate, and it was left out. Import more hosts if it should be in it.",
    ),
    ("INV-6007", "Lines or entries of a log are no records and were left out. The message shows the first."),
    ("INV-6008", "There is no socket in the file. Write it with ss -tunap."),
    ("INV-6009", "A table of flows lacks columns for both ends. Call them src and dst."),
    ("INV-6010", "No reader of utilisation knows the file. Name its format if it is one of those listed."),
    ("INV-6011", "No measurement of the file could be used. Say which host it is about."),
    ("INV-6012", "Every measurement of a host is zero, so it counts as unknown. Measure it otherwise."),
    ("INV-6013", "Less than a fifth of the time was measured. Measure without holes to size by use."),
    (
        "INV-6014",
        "Hosts were measured that are not in the estate. Import them, or name them as the estate does.",
    ),
    ("INV-6015", "Metrics are not among those that are read. The message names those that are."),
    ("INV-6016", "A table of measurements has no column with times. Call it timestamp."),
    (
        "INV-6017",
        "A time of a measurement cannot be read, and the row was left out. Write times as 2026-03-01T14:30:00Z.",
    ),
    (
        "INV-6501",
        "Standard support of a system has ended. Plan a new one with the move, or buy extended support.",
    ),
    ("INV-6502", "A host is switched off. Leave it behind if nobody needs it."),
    ("INV-6503", "A host did next to nothing all the time it was measured. Ask whether it is needed."),
    (
        "INV-6504",
        "A host has no traffic where others have. Leave it behind if it is not needed, or collect its traffic.",
    ),
    ("INV-6505", "Hosts share a disk. Move them together, onto storage that several machines may use."),
    ("INV-6506", "A disk is mapped raw from storage. Copy it from inside the system."),
    ("INV-6507", "Hosts look like one app. Set their app if they belong together."),
    (
        "INV-8001",
        "A collection holds an answer that is not whole; its host was left out. Collect from it again.",
    ),
    ("INV-8002", "The collection is of a kind that this version does not know. Collect again."),
    (
        "INV-8003",
        "Firewall rules of a host cannot be understood whole and were left out. Look at them on the host.",
    ),
    (
        "INV-8004",
        "The packet filter of a host needs the administrator's rights. Collect with --sudo, or add the rules by hand.",
    ),
    ("INV-8005", "The collection holds no answers. Collect again."),
    ("INV-8011", "An answer of vCenter cannot be read and was left out. Collect again."),
    ("INV-8012", "Templates and vSphere's own agents were left out. Nothing needs to be done."),
    (
        "INV-8013",
        "The vCenter names no machine that its user may read. Give the user the role Read-only on all objects.",
    ),
];
