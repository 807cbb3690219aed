//! Listings of clouds, hypervisors and tools: Terraform, EC2, OpenStack, Kubernetes, libvirt, Ansible.

use carafe_model::estate::Estate;
use carafe_model::host::{Architecture, Direction, Firmware, Host, Media, OsFamily, Power};
use carafe_model::units::{Gib, Mib, Vcpus};
use serde_json::{Value, json};

use crate::support::{INCOMPLETE, check};

fn host<'e>(estate: &'e Estate, id: &str) -> &'e Host {
    estate.hosts.iter().find(|host| host.id.as_str() == id).unwrap_or_else(|| panic!("{id} is there"))
}

fn sizes(host: &Host) -> Vec<Option<u64>> {
    host.disks.iter().map(|disk| disk.size_gib.map(|size| size.0)).collect()
}

#[track_caller]
fn read(files: &[(&str, Value)], expected: &[&str]) -> Option<Estate> {
    let texts: Vec<(&str, String)> = files.iter().map(|(name, value)| (*name, value.to_string())).collect();
    let files: Vec<(&str, &[u8])> = texts.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    check(&files, &INCOMPLETE, expected)
}

pub fn resource(kind: &str, name: &str, instances: &[Value]) -> Value {
    let instances: Vec<Value> =
        instances.iter().map(|attributes| json!({"schema_version": 1, "attributes": attributes})).collect();
    json!({"mode": "managed", "type": kind, "name": name, "provider": "p", "instances": instances})
}

pub fn state(resources: &[Value]) -> Value {
    json!({"version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "l", "outputs": {}, "resources": resources})
}

#[test]
fn a_state_of_aws_gives_machines_volumes_rules_and_balancers() {
    let secret = "hunter2-in-user-data";
    let state = state(&[
        resource(
            "aws_instance",
            "web",
            &[json!({
            "id": "i-1", "instance_type": "m5.large", "private_ip": "10.0.0.5", "public_ip": "203.0.113.9", "subnet_id": "subnet-1",
            "tags": {"Name": "web-1", "tier": "web"}, "user_data": secret, "vpc_security_group_ids": ["sg-1"],
            "root_block_device": [{"volume_id": "vol-1", "volume_size": 20, "volume_type": "gp3"}], "ebs_block_device": []})],
        ),
        resource(
            "aws_instance",
            "db",
            &[json!({
            "id": "i-2", "instance_type": "made.up", "private_ip": "10.0.0.6", "tags": null, "vpc_security_group_ids": ["sg-2"],
            "root_block_device": [{"volume_id": "vol-2", "volume_size": 30}]})],
        ),
        resource(
            "aws_ebs_volume",
            "data",
            &[
                json!({"id": "vol-9", "size": 500, "type": "st1", "tags": {"Name": "data"}}),
                json!({"id": "vol-10", "size": 5, "tags": {}}),
            ],
        ),
        resource(
            "aws_volume_attachment",
            "data",
            &[json!({"id": "a", "volume_id": "vol-9", "instance_id": "i-2", "device_name": "/dev/sdf"})],
        ),
        resource(
            "aws_security_group",
            "web",
            &[json!({"id": "sg-1", "name": "web", "egress": [],
            "ingress": [{"from_port": 443, "to_port": 443, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"], "security_groups": []}]})],
        ),
        resource(
            "aws_security_group",
            "db",
            &[json!({"id": "sg-2", "name": "db", "ingress": [
            {"from_port": 5432, "to_port": 5433, "protocol": "tcp", "cidr_blocks": [], "security_groups": ["sg-1"]}]})],
        ),
        resource(
            "aws_lb",
            "front",
            &[json!({"id": "lb-arn", "arn": "lb-arn", "name": "front", "internal": false})],
        ),
        resource("aws_lb_target_group", "web", &[json!({"id": "tg-arn", "port": 8443})]),
        resource(
            "aws_lb_listener",
            "https",
            &[json!({"id": "l", "load_balancer_arn": "lb-arn", "port": 443, "protocol": "HTTPS",
            "default_action": [{"type": "forward", "target_group_arn": "tg-arn"}]})],
        ),
        resource(
            "aws_lb_target_group_attachment",
            "web",
            &[json!({"id": "x", "target_group_arn": "tg-arn", "target_id": "i-1"})],
        ),
        resource("aws_eks_cluster", "main", &[json!({"id": "main", "name": "main", "version": "1.31"})]),
        resource(
            "aws_eks_node_group",
            "pool",
            &[json!({"cluster_name": "main", "node_group_name": "pool",
            "instance_types": ["m5.large"], "disk_size": 50, "scaling_config": [{"desired_size": 2}]})],
        ),
        resource("aws_s3_bucket", "logs", &[json!({"id": "logs"})]),
        json!({"mode": "data", "type": "aws_instance", "name": "other", "instances": [{"attributes": {"id": "i-9"}}]}),
    ]);
    let expected = [
        "warning INV-5001 s.tfstate",
        "warning INV-1013 s.tfstate, /resources/1/instances/0/attributes/instance_type",
        "info INV-5008 s.tfstate",
    ];
    let mut expected = expected;
    expected.sort_unstable();
    let text = state.to_string();
    let found = carafe_inventory::import(
        &[carafe_inventory::InputFile { name: "s.tfstate", bytes: text.as_bytes() }],
        None,
        "t",
    );
    let mut lines: Vec<String> = found
        .findings
        .iter()
        .filter(|f| !INCOMPLETE.contains(&f.code.as_str()))
        .map(crate::support::line)
        .collect();
    lines.sort();
    assert_eq!(lines, expected);
    let estate = found.estate.expect("an estate");
    assert!(!format!("{estate:?}{:?}", found.findings).contains(secret), "a state holds secrets");
    let web = host(&estate, "web-1");
    assert_eq!((web.vcpus, web.memory_mib, web.public_address), (Some(Vcpus(2)), Some(Mib(8_192)), true));
    assert_eq!((sizes(web), web.labels["tier"].as_str()), (vec![Some(20)], "web"));
    let db = host(&estate, "db");
    assert_eq!((sizes(db), db.vcpus), (vec![Some(30), Some(500)], None));
    assert_eq!((db.disks[1].name.as_str(), db.disks[1].media), ("/dev/sdf", Some(Media::Hdd)));
    let rule = &db.firewall[0];
    assert_eq!(
        (rule.source.as_str(), rule.ports.as_str()),
        ("10.0.0.5/32", "5432-5433"),
        "a group is its members"
    );
    assert_eq!(web.firewall[0].source, "*");
    let front = &estate.load_balancers[0];
    assert_eq!(
        (front.port, front.member_port, front.public, front.protocol.as_str()),
        (443, 8_443, true, "https")
    );
    assert_eq!(front.members[0].as_str(), "web-1");
    let cluster = &estate.clusters[0];
    assert_eq!((cluster.version.as_deref(), cluster.workers.len()), (Some("1.31"), 2));
    assert_eq!(sizes(host(&estate, "main-pool-2")), [Some(50)]);
}

#[test]
fn states_of_other_clouds_are_read_by_their_own_names() {
    let state = state(&[
        resource(
            "azurerm_linux_virtual_machine",
            "a",
            &[json!({"id": "/s/a", "name": "az-1", "size": "Standard_D4s_v5", "location": "koreacentral",
            "network_interface_ids": ["/s/nic"], "os_disk": [{"disk_size_gb": 64}], "admin_password": "secret",
            "source_image_reference": [{"offer": "0001-com-ubuntu-server-jammy"}]})],
        ),
        resource(
            "azurerm_network_interface",
            "n",
            &[json!({"id": "/s/nic", "mac_address": "02-00-00-00-00-01",
            "ip_configuration": [{"private_ip_address": "10.1.0.4", "subnet_id": "/s/net/front"}]})],
        ),
        resource(
            "google_compute_instance",
            "g",
            &[
                json!({"id": "projects/p/zones/z/instances/gc-1", "name": "gc-1", "machine_type": "n2-standard-4",
            "zone": "asia-northeast3-a", "network_interface": [{"network": "https://x/networks/default", "network_ip": "10.2.0.2", "access_config": [{"nat_ip": "198.51.100.7"}]}],
            "boot_disk": [{"source": "https://x/disks/gc-1", "initialize_params": [{"size": 25, "image": "https://x/images/debian-12-bookworm-v1"}]}]}),
            ],
        ),
        resource(
            "google_compute_firewall",
            "f",
            &[json!({"id": "f", "network": "https://x/networks/default", "direction": "INGRESS",
            "source_ranges": ["0.0.0.0/0"], "allow": [{"protocol": "tcp", "ports": ["22", "80-90"]}]})],
        ),
        resource(
            "openstack_compute_flavor_v2",
            "f",
            &[json!({"id": "7", "name": "m1.big", "vcpus": 16, "ram": 65536, "disk": 0})],
        ),
        resource(
            "openstack_compute_instance_v2",
            "o",
            &[json!({"id": "51a31efd-09ec-45a9-904f-f79fb41d67a1", "name": "os-1", "flavor_name": "m1.big",
            "access_ip_v4": "10.3.0.8", "security_groups": ["default"], "network": [{"name": "net", "mac": "fa:16:3e:00:00:01"}],
            "block_device": [{"uuid": "v", "volume_size": 80}]})],
        ),
        resource(
            "alicloud_instance",
            "l",
            &[
                json!({"id": "i-l", "instance_name": "ali-1", "instance_type": "ecs.g7.large", "cpu": 2, "memory": 8192,
            "private_ip": "10.4.0.1", "system_disk_size": 40, "security_groups": ["sg-l"]}),
            ],
        ),
        resource(
            "alicloud_security_group_rule",
            "r",
            &[
                json!({"security_group_id": "sg-l", "type": "ingress", "ip_protocol": "tcp", "port_range": "22/22", "cidr_ip": "10.0.0.0/8", "policy": "accept"}),
            ],
        ),
        resource(
            "ncloud_server",
            "n",
            &[
                json!({"id": "123", "name": "ncp-1", "server_spec_code": "s2-g3", "cpu_count": 2, "memory_size": 8589934592u64, "network_interface": [{"private_ip": "10.5.0.6"}]}),
            ],
        ),
        resource(
            "ncloud_block_storage",
            "b",
            &[json!({"id": "9", "server_instance_no": "123", "name": "data", "size": 100})],
        ),
        resource(
            "vsphere_virtual_machine",
            "v",
            &[
                json!({"id": "42000000-0000-0000-0000-000000000009", "name": "vm-1", "num_cpus": 4, "memory": 4096, "guest_id": "rhel8_64Guest",
            "guest_ip_addresses": ["10.6.0.1"], "disk": [{"label": "disk0", "size": 60}, {"label": "disk1", "size": 200}]}),
            ],
        ),
    ]);
    let found = read(&[("s.tfstate", state)], &[]);
    let estate = found.expect("an estate");
    let az = host(&estate, "az-1");
    assert_eq!((az.vcpus, az.memory_mib, sizes(az)), (Some(Vcpus(4)), Some(Mib(16_384)), vec![Some(64)]));
    assert_eq!(
        (az.nics[0].addresses[0].as_str(), az.nics[0].network.as_deref()),
        ("10.1.0.4", Some("front"))
    );
    let gc = host(&estate, "gc-1");
    assert_eq!((gc.vcpus, sizes(gc), gc.public_address), (Some(Vcpus(4)), vec![Some(25)], true));
    assert_eq!(gc.os.as_ref().map(|os| os.family), Some(OsFamily::Linux));
    assert_eq!(gc.firewall[0].ports, "22,80-90");
    let os = host(&estate, "os-1");
    assert_eq!((os.vcpus, os.memory_mib, sizes(os)), (Some(Vcpus(16)), Some(Mib(65_536)), vec![Some(80)]));
    let ali = host(&estate, "ali-1");
    assert_eq!((ali.memory_mib, ali.firewall[0].source.as_str()), (Some(Mib(8_192)), "10.0.0.0/8"));
    assert_eq!(sizes(host(&estate, "ncp-1")), [Some(100)]);
    assert_eq!(sizes(host(&estate, "vm-1")), [Some(60), Some(200)]);
}

#[test]
fn printed_states_are_read_and_foreign_ones_refused_with_the_reason() {
    let printed = json!({"format_version": "1.0", "terraform_version": "1.9.0", "values": {"root_module": {"child_modules": [{
        "address": "module.a", "resources": [{"address": "module.a.aws_instance.w[0]", "mode": "managed", "type": "aws_instance",
            "name": "w", "values": {"id": "i-1", "instance_type": "m5.large", "tags": {}}}]}]}}});
    let estate = read(&[("s.json", printed)], &[]).expect("an estate");
    assert_eq!(
        (estate.hosts[0].id.as_str(), estate.hosts[0].labels["resource"].as_str()),
        ("w-0", "module.a.aws_instance.w[0]")
    );
    for (value, finding) in [
        (
            json!({"version": 3, "terraform_version": "0.11.14", "serial": 1, "modules": []}),
            "error INV-5007 s.json",
        ),
        (
            json!({"serial": 1, "lineage": "l", "meta": {}, "encrypted_data": "AAAA", "encryption_version": "v0"}),
            "error INV-5006 s.json",
        ),
    ] {
        assert!(read(&[("s.json", value)], &[finding]).is_none());
    }
}

#[test]
fn ec2_answers_are_joined_by_id() {
    let instances = json!({"Reservations": [{"Instances": [
        {"InstanceId": "i-1", "InstanceType": "m5.large", "Architecture": "x86_64", "State": {"Name": "running"}, "PlatformDetails": "Red Hat Enterprise Linux",
         "CpuOptions": {"CoreCount": 1, "ThreadsPerCore": 1}, "RootDeviceName": "/dev/xvda", "BootMode": "uefi",
         "BlockDeviceMappings": [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeId": "vol-2"}}, {"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-1"}}],
         "NetworkInterfaces": [{"MacAddress": "02:00:00:00:00:aa", "SubnetId": "subnet-1", "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.5"}]}],
         "SecurityGroups": [{"GroupId": "sg-1"}], "Tags": [{"Key": "Name", "Value": "web"}, {"Key": "aws:asg", "Value": "x"}, {"Key": "owner", "Value": "kim"}]},
        {"InstanceId": "i-2", "InstanceType": "m5.large", "State": {"Name": "terminated"}},
        {"InstanceId": "i-3", "InstanceType": "m5.large", "State": {"Name": "stopped"}, "Platform": "windows",
         "BlockDeviceMappings": [{"DeviceName": "/dev/sda1", "Ebs": {"VolumeId": "vol-2"}}]}]}]});
    let volumes = json!({"Volumes": [{"VolumeId": "vol-1", "Size": 8, "VolumeType": "gp3"}, {"VolumeId": "vol-2", "Size": 100, "VolumeType": "io2"}]});
    let groups = json!({"SecurityGroups": [{"GroupId": "sg-1", "GroupName": "g", "IpPermissions": [
        {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-1"}]}, {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]}]});
    let estate =
        read(&[("v.json", volumes), ("i.json", instances), ("g.json", groups)], &["info INV-5004 v.json"])
            .expect("an estate");
    let web = host(&estate, "web");
    assert_eq!(
        (web.vcpus, web.memory_mib),
        (Some(Vcpus(1)), Some(Mib(8_192))),
        "its own count goes before the catalog's"
    );
    assert_eq!(
        (sizes(web), web.disks[1].shared),
        (vec![Some(8), Some(100)], true),
        "the root first; the other is on two machines"
    );
    assert_eq!(
        (web.firmware, web.os.as_ref().map(|os| os.family)),
        (Some(Firmware::Uefi), Some(OsFamily::Rhel))
    );
    assert_eq!(web.labels.keys().map(String::as_str).collect::<Vec<_>>(), ["instance-type", "owner"]);
    assert_eq!((web.firewall[0].source.as_str(), web.firewall[0].protocol.as_str()), ("10.0.0.5/32", "*"));
    assert_eq!(host(&estate, "i-3").power, Some(Power::Off));
}

const SERVER: &str = "11111111-1111-4111-8111-111111111111";

#[test]
fn openstack_lists_are_joined_by_id() {
    let servers = json!({"servers": [
        {"id": SERVER, "name": "app", "status": "ACTIVE", "tenant_id": "t", "image": "", "metadata": {"tier": "app"},
         "flavor": {"original_name": "m1.large", "vcpus": 4, "ram": 8192, "disk": 80}, "security_groups": [{"name": "default"}],
         "addresses": {"net": [{"addr": "10.0.0.9", "OS-EXT-IPS:type": "fixed", "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:00:00:09"},
                               {"addr": "203.0.113.5", "OS-EXT-IPS:type": "floating", "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:00:00:09"}]},
         "os-extended-volumes:volumes_attached": [{"id": "vol-b"}, {"id": "vol-a"}]},
        {"id": "22222222-1111-4111-8111-111111111111", "name": "old", "status": "SHUTOFF", "tenant_id": "t", "image": {"id": "img"}, "flavor": {"id": "f-1"},
         "addresses": {}}]});
    let flavors = json!({"flavors": [{"id": "f-1", "name": "small", "vcpus": 1, "ram": 2048, "disk": 20, "links": []}]});
    let images = json!({"images": [{"id": "img", "name": "win2019", "os_distro": "windows", "os_version": "2019", "hw_firmware_type": "uefi", "architecture": "x86_64", "links": []}], "schema": "openstack"});
    let volumes = json!({"volumes": [
        {"id": "vol-a", "name": "", "size": 40, "bootable": "true", "volume_type": "ssd", "attachments": [{"server_id": SERVER, "device": "/dev/vda"}]},
        {"id": "vol-b", "name": "data", "size": 200, "bootable": "false", "attachments": [{"server_id": SERVER, "device": "/dev/vdb"}]}]});
    let groups = json!({"security_groups": [{"id": "g-1", "name": "default", "tenant_id": "t", "security_group_rules": [
        {"direction": "egress", "protocol": null, "remote_ip_prefix": null}, {"direction": "ingress", "protocol": "tcp", "port_range_min": 22, "port_range_max": 22, "remote_ip_prefix": "10.0.0.0/8"}]}]});
    let files = [
        ("s.json", servers),
        ("f.json", flavors),
        ("i.json", images),
        ("v.json", volumes),
        ("g.json", groups),
    ];
    let estate = read(&files, &[]).expect("an estate");
    let app = host(&estate, "app");
    assert_eq!((app.vcpus, app.memory_mib, app.public_address), (Some(Vcpus(4)), Some(Mib(8_192)), true));
    assert_eq!(
        sizes(app),
        [Some(40), Some(200)],
        "it boots from a volume, so its flavor's disk is not there"
    );
    assert_eq!(app.nics[0].addresses, ["10.0.0.9"]);
    assert_eq!((app.firewall.len(), app.firewall[0].direction), (1, Direction::Inbound));
    let old = host(&estate, "old");
    assert_eq!((old.vcpus, sizes(old), old.power), (Some(Vcpus(1)), vec![Some(20)], Some(Power::Off)));
    assert_eq!(
        (old.firmware, old.os.as_ref().map(|os| os.family)),
        (Some(Firmware::Uefi), Some(OsFamily::Windows))
    );
}

#[test]
fn what_the_openstack_client_prints_is_read_too() {
    let servers = json!([{"ID": SERVER, "Name": "app", "Status": "ACTIVE", "Networks": {"net": ["10.0.0.9"]}, "Image": "Ubuntu 22.04", "Flavor": "m1.large"}]);
    let flavors = json!([{"ID": "3", "Name": "m1.large", "RAM": 8192, "Disk": 80, "Ephemeral": 0, "VCPUs": 4, "Is Public": true}]);
    let estate = read(&[("s.json", servers), ("f.json", flavors)], &[]).expect("an estate");
    let app = host(&estate, "app");
    assert_eq!((app.vcpus, app.memory_mib, sizes(app)), (Some(Vcpus(4)), Some(Mib(8_192)), vec![Some(80)]));
    assert_eq!(app.nics[0].addresses, ["10.0.0.9"]);
}

pub fn node(name: &str, role: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {format!("node-role.kubernetes.io/{role}"): ""}},
        "status": {"capacity": {"cpu": "4", "memory": "16393244Ki", "ephemeral-storage": "101430960Ki"},
            "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Hostname", "address": name}],
            "nodeInfo": {"architecture": "arm64", "osImage": "Ubuntu 22.04.4 LTS", "kubeletVersion": "v1.31.2", "machineID": format!("{name}-id")}}})
}

#[test]
fn providers_made_from_openstack_are_read_like_it() {
    let instance = json!({"id": "i-1", "name": "web", "flavor_name": "s3.large", "network": [{"fixed_ip_v4": "10.0.0.5"}]});
    let volume = json!({"id": "v-1", "size": 20});
    let attached = json!({"id": "a", "instance_id": "i-1", "volume_id": "v-1"});
    let described = |provider: &str| {
        state(&[
            resource(&format!("{provider}_compute_instance_v2"), "web", std::slice::from_ref(&instance)),
            resource(&format!("{provider}_blockstorage_volume_v2"), "data", std::slice::from_ref(&volume)),
            resource(&format!("{provider}_compute_volume_attach_v2"), "a", std::slice::from_ref(&attached)),
        ])
    };
    let but = [&INCOMPLETE[..], &["INV-1013"]].concat();
    let hosts = |provider: &str| {
        let text = described(provider).to_string();
        let mut hosts = check(&[("s.tfstate", text.as_bytes())], &but, &[]).expect("an estate").hosts;
        assert!(hosts[0].labels["resource"].starts_with(provider), "it is told as the state calls it");
        hosts[0].labels.remove("resource");
        hosts
    };
    let read_as_openstack = hosts("openstack");
    assert_eq!(sizes(&read_as_openstack[0]), [Some(20)]);
    for provider in ["flexibleengine", "opentelekomcloud"] {
        assert_eq!(hosts(provider), read_as_openstack, "{provider}");
    }
}

#[test]
fn kubernetes_objects_are_read_as_yaml_too() {
    let text = "# of a cluster\n---\napiVersion: v1\nkind: Node\nmetadata: {name: w1}\nstatus:\n  capacity:\n    cpu: 4\n\
        \u{20}   memory: 16393244Ki\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: front\nspec:\n\
        \u{20} type: LoadBalancer\n  ports:\n  - port: 443\n    nodePort: 30443\n";
    let estate = check(&[("k.yaml", text.as_bytes())], &INCOMPLETE, &[]).expect("an estate");
    let worker = host(&estate, "w1");
    assert_eq!((worker.vcpus, worker.memory_mib), (Some(Vcpus(4)), Some(Mib(16_010))));
    let balancer = &estate.load_balancers[0];
    assert_eq!((balancer.port, balancer.member_port, balancer.members.len()), (443, 30_443, 1));
    let broken = text.replace("{name: w1}", "{name: w1");
    assert!(check(&[("k.yaml", broken.as_bytes())], &[], &["error INV-1012 k.yaml, row 6"]).is_none());
}

#[test]
fn kubernetes_nodes_become_hosts_and_their_pods_labels() {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [
        node("cp", "control-plane"), node("w1", "worker"),
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "shop"}, "status": {"phase": "Running"}, "spec": {"nodeName": "w1",
            "containers": [{"resources": {"requests": {"cpu": "250m", "memory": "64Mi"}}}, {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}],
            "volumes": [{"persistentVolumeClaim": {"claimName": "data"}}]}},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "shop"}, "status": {"capacity": {"storage": "20Gi"}}},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "lost", "namespace": "shop"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "front"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}]}},
    ]});
    let estate = read(&[("k.json", list)], &["warning INV-5011 k.json"]).expect("an estate");
    let worker = host(&estate, "w1");
    assert_eq!((worker.vcpus, worker.memory_mib), (Some(Vcpus(4)), Some(Mib(16_010))));
    assert_eq!((worker.architecture, sizes(worker)), (Some(Architecture::Arm64), vec![Some(97), Some(20)]));
    assert_eq!(
        (worker.labels["requested-cpu-milli"].as_str(), worker.labels["requested-memory-mib"].as_str()),
        ("1250", "1088")
    );
    let cluster = &estate.clusters[0];
    assert_eq!(
        (cluster.version.as_deref(), cluster.control_plane.len(), cluster.workers.len()),
        (Some("1.31.2"), 1, 1)
    );
    assert_eq!(
        (estate.load_balancers[0].member_port, estate.load_balancers[0].members[0].as_str()),
        (30_080, "w1")
    );
    let only = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": 3,
        "template": {"spec": {"containers": [{"resources": {"requests": {"cpu": "500m", "memory": "100Mi"}}}]}}}});
    assert!(read(&[("d.json", only)], &["error INV-5010 d.json"]).is_none());
}

pub const DOMAIN: &str = r#"<domain type="kvm">
  <name>legacy</name>
  <uuid>42000000-0000-0000-0000-0000000000aa</uuid>
  <metadata><libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">
    <libosinfo:os id="http://redhat.com/rhel/8.6"/></libosinfo:libosinfo></metadata>
  <memory unit="GB">8</memory>
  <currentMemory unit="KiB">4194304</currentMemory>
  <vcpu placement="static" current="2">8</vcpu>
  <os firmware="efi"><type arch="x86_64" machine="q35">hvm</type></os>
  <devices>
    <disk type="file" device="disk"><source file="/img/legacy.qcow2"/><target dev="vda" bus="virtio"/></disk>
    <disk type="block" device="lun"><source dev="/dev/sdq"/><target dev="sda"/><shareable/></disk>
    <disk type="file" device="cdrom"><source file="/img/cd.iso"/><target dev="sdb"/></disk>
    <interface type="network"><mac address="52:54:00:00:00:01"/><source network="front"/></interface>
  </devices>
</domain>
"#;

#[test]
fn libvirt_domains_take_their_disk_sizes_from_the_images() {
    let image = json!({"virtual-size": 42949672960u64, "filename": "/img/legacy.qcow2", "format": "qcow2", "actual-size": 1}).to_string();
    let files: [(&str, &[u8]); 2] = [("d.xml", DOMAIN.as_bytes()), ("i.json", image.as_bytes())];
    let estate = check(&files, &INCOMPLETE, &["warning INV-5013 d.xml, row 12"]).expect("an estate");
    let legacy = host(&estate, "legacy");
    assert_eq!(
        (legacy.vcpus, legacy.memory_mib),
        (Some(Vcpus(2)), Some(Mib(4_096))),
        "what it has now, not what it could have"
    );
    assert_eq!(
        (sizes(legacy), legacy.disks[1].shared, legacy.disks[1].raw),
        (vec![Some(40), None], true, true)
    );
    assert_eq!(
        (legacy.firmware, legacy.os.as_ref().map(|os| os.family)),
        (Some(Firmware::Uefi), Some(OsFamily::Rhel))
    );
    assert_eq!(legacy.nics[0].network.as_deref(), Some("front"));
    let units = DOMAIN.replace("<currentMemory unit=\"KiB\">4194304</currentMemory>", "");
    let estate = check(&[("d.xml", units.as_bytes())], &INCOMPLETE, &["warning INV-5013 d.xml, row 11"])
        .expect("an estate");
    assert_eq!(estate.hosts[0].memory_mib, Some(Mib(7_630)), "GB is a thousand million bytes here");
    assert!(
        check(
            &[("d.xml", b"<domain>\n<name>")],
            &[],
            &["error INV-5012 d.xml, row 2", "error INV-5014 d.xml"]
        )
        .is_none()
    );
}

pub fn facts() -> Value {
    json!({"ansible_facts": {"ansible_hostname": "mail", "ansible_machine_id": "0123456789abcdef0123456789abcdef", "ansible_architecture": "aarch64",
        "ansible_processor_vcpus": 4, "ansible_processor": ["0", "ARM", "Neoverse N1 core"], "ansible_memtotal_mb": 15987,
        "ansible_distribution": "RedHat", "ansible_distribution_version": "9.3", "ansible_kernel": "5.14",
        "ansible_devices": {"sda": {"sectors": "83886080", "sectorsize": "512", "rotational": "0", "size": "40.00 GB"}, "loop0": {"size": "55 MB"}, "sdb": {"size": "1.00 TB", "rotational": "1"}},
        "ansible_mounts": [{"device": "/dev/sda2", "mount": "/", "size_total": 42949672960u64, "size_available": 32212254720u64}],
        "ansible_interfaces": ["lo", "eth0", "docker0"],
        "ansible_eth0": {"macaddress": "02:00:00:00:00:77", "ipv4": {"address": "10.0.0.77", "prefix": "24"}, "ipv6": [{"address": "fe80::1", "prefix": "64"}]}}})
}

#[test]
fn ansible_facts_are_read_from_files_and_from_what_is_printed() {
    let estate = read(&[("mail", facts())], &[]).expect("an estate");
    let mail = host(&estate, "mail");
    assert_eq!(
        (mail.vcpus, mail.memory_mib, mail.architecture),
        (Some(Vcpus(4)), Some(Mib(15_987)), Some(Architecture::Arm64))
    );
    assert_eq!((sizes(mail), mail.disks[0].used_gib), (vec![Some(40), Some(1_024)], Some(Gib(10))));
    assert_eq!((mail.disks[0].media, mail.disks[1].media), (Some(Media::Ssd), Some(Media::Hdd)));
    assert_eq!(mail.nics[0].addresses, ["10.0.0.77/24"]);
    assert_eq!(mail.os.as_ref().map(|os| os.family), Some(OsFamily::Rhel));
    assert_eq!(mail.cpu_model.as_deref(), Some("Neoverse N1 core"));
    let printed = format!(
        "gone | UNREACHABLE! => {{\n    \"msg\": \"x\"\n}}\nmail | SUCCESS => {}\n",
        serde_json::to_string_pretty(&facts()).expect("plain data")
    );
    let again = check(&[("out.txt", printed.as_bytes())], &INCOMPLETE, &["warning INV-4015 out.txt, row 1"])
        .expect("an estate");
    assert_eq!(again.hosts[0].disks, mail.disks);
}
