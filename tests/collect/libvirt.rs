//! Hypervisors by virsh, with the test driver that libvirt has built in: real virsh, machines from a file.

use std::process::{Command, Output};

use carafe_model::estate::Estate;
use carafe_model::units::{Gib, Mib, Vcpus};

/// Two machines, a pool with two volumes whose names need care, and a disk in no pool.
const NODE: &str = "<node>
  <domain type='test'>
    <name>web1</name><uuid>11111111-1111-4111-8111-111111111111</uuid>
    <memory unit='MiB'>4096</memory><vcpu>2</vcpu><os><type arch='x86_64'>hvm</type></os>
    <devices>
      <disk type='file' device='disk'><source file=\"/pool/web 1's root.img\"/><target dev='vda' bus='virtio'/></disk>
      <disk type='volume' device='disk'><source pool='the pool' volume='data1'/><target dev='vdb' bus='virtio'/></disk>
      <disk type='file' device='disk'><source file='/elsewhere/x.img'/><target dev='vdc' bus='virtio'/></disk>
      <interface type='network'><mac address='52:54:00:aa:bb:01'/><source network='lan'/></interface>
    </devices>
  </domain>
  <domain type='test'>
    <name>db 1</name><uuid>22222222-2222-4222-8222-222222222222</uuid>
    <memory unit='MiB'>8192</memory><vcpu>4</vcpu><os><type arch='x86_64'>hvm</type></os>
  </domain>
  <network><name>lan</name><bridge name='virbr0'/><ip address='192.168.100.1' netmask='255.255.255.0'/></network>
  <pool type='dir'><name>the pool</name><target><path>/pool</path></target>
    <volume><name>web 1's root.img</name><capacity unit='GiB'>40</capacity><target><path>/pool/web 1's root.img</path></target></volume>
    <volume><name>data1</name><capacity unit='GiB'>100</capacity><target><path>/pool/data1</path></target></volume>
  </pool>
</node>";

fn collect(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_carafe"));
    command.args(["inventory", "collect", "libvirt"]).args(arguments);
    command.output().expect("carafe can be started")
}

#[test]
fn machines_come_with_their_disks_and_a_kept_collection_says_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = folder.path().join("node.xml");
    std::fs::write(&node, NODE).expect("writable");
    let kept = folder.path().join("kept.json");
    let uri = format!("test://{}", node.display());
    let output = collect(&[&uri, "--collection", kept.to_str().expect("a path")]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "this needs virsh: apt-get install libvirt-clients libvirt-daemon\n{said}"
    );
    assert!(said.contains("INV-5013") && said.contains("/elsewhere/x.img"), "{said}");
    let estate: Estate = serde_json::from_slice(&output.stdout).expect("an estate");
    let names: Vec<&str> = estate.hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["db 1", "web1"]);
    let web = &estate.hosts[1];
    assert_eq!((web.vcpus, web.memory_mib), (Some(Vcpus(2)), Some(Mib(4096))));
    assert_eq!(web.machine_id.as_deref(), Some("11111111-1111-4111-8111-111111111111"));
    let sizes: Vec<_> = web.disks.iter().map(|disk| (disk.name.as_str(), disk.size_gib)).collect();
    assert_eq!(sizes, [("vda", Some(Gib(40))), ("vdb", Some(Gib(100))), ("vdc", None)]);
    assert_eq!(web.nics[0].mac.as_deref(), Some("52:54:00:aa:bb:01"));

    let again = Command::new(env!("CARGO_BIN_EXE_carafe"))
        .args(["inventory", "import", "--name", "estate"])
        .arg(&kept)
        .output()
        .expect("carafe can be started");
    let again: Estate = serde_json::from_slice(&again.stdout).expect("an estate");
    assert_eq!(again.hosts, estate.hosts);
}

#[test]
fn a_hypervisor_that_cannot_be_asked_is_told_with_what_virsh_says() {
    for (uri, part) in [
        ("test:///no/such/file.xml", "/no/such/file.xml"),
        ("qemu+tcp://ann:hunter2@127.0.0.1:1/system", "127.0.0.1:1"),
    ] {
        let output = collect(&[uri]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(part) && !said.contains("hunter2"), "{said}");
        assert!(output.stdout.is_empty());
    }
}
