//! Which attributes of which resources are read. What is not listed is never looked at: a state holds secrets.

/// A resource that is a machine. Paths are tried in order; the first that says something counts.
pub(super) struct ServerKind {
    pub kind: &'static str,
    /// The provider whose instance types it uses; empty where it gives its size itself.
    pub provider: &'static str,
    pub names: &'static [&'static str],
    pub shape: &'static [&'static str],
    pub vcpus: &'static [&'static str],
    /// Memory, in MiB.
    pub memory: &'static [&'static str],
    /// Private addresses: texts or lists of them.
    pub ips: &'static [&'static str],
    pub macs: &'static [&'static str],
    /// Present where it has an address of its own on the internet.
    pub public: &'static [&'static str],
    pub network: &'static [&'static str],
    pub power: &'static [&'static str],
    /// What its image says of the system.
    pub os: &'static [&'static str],
    pub tags: &'static str,
    pub zone: &'static [&'static str],
    /// Size of the boot disk in GiB, and its volume's id.
    pub boot_size: &'static [&'static str],
    pub boot_volume: &'static [&'static str],
    /// Lists of further disks: the list, then size, id and device of each entry.
    pub disks: &'static [(&'static str, &'static str, &'static str, &'static str)],
    /// Groups of rules.
    pub groups: &'static [&'static str],
}

const NOTHING: ServerKind = ServerKind {
    kind: "",
    provider: "",
    names: &["name"],
    shape: &[],
    vcpus: &[],
    memory: &[],
    ips: &[],
    macs: &[],
    public: &[],
    network: &[],
    power: &[],
    os: &[],
    tags: "tags",
    zone: &[],
    boot_size: &[],
    boot_volume: &[],
    disks: &[],
    groups: &[],
};

const AZURE: ServerKind = ServerKind {
    provider: "azure",
    shape: &["size", "vm_size"],
    ips: &["private_ip_addresses", "private_ip_address"],
    public: &["public_ip_address"],
    zone: &["zone", "location"],
    boot_size: &["os_disk/0/disk_size_gb", "storage_os_disk/0/disk_size_gb"],
    boot_volume: &["storage_os_disk/0/managed_disk_id"],
    disks: &[("storage_data_disk", "disk_size_gb", "managed_disk_id", "name")],
    os: &["source_image_reference/0/offer", "storage_image_reference/0/offer"],
    ..NOTHING
};

/// Every resource that is a machine.
pub(super) const SERVERS: &[ServerKind] = &[
    ServerKind {
        kind: "aws_instance",
        provider: "aws",
        names: &["tags/Name", "tags_all/Name"],
        shape: &["instance_type"],
        ips: &["private_ip"],
        public: &["public_ip"],
        network: &["subnet_id"],
        power: &["instance_state"],
        zone: &["availability_zone"],
        boot_size: &["root_block_device/0/volume_size"],
        boot_volume: &["root_block_device/0/volume_id"],
        disks: &[("ebs_block_device", "volume_size", "volume_id", "device_name")],
        groups: &["vpc_security_group_ids", "security_groups"],
        ..NOTHING
    },
    ServerKind { kind: "azurerm_linux_virtual_machine", ..AZURE },
    ServerKind { kind: "azurerm_windows_virtual_machine", ..AZURE },
    ServerKind { kind: "azurerm_virtual_machine", ..AZURE },
    ServerKind {
        kind: "google_compute_instance",
        provider: "gcp",
        shape: &["machine_type"],
        ips: &["network_interface/0/network_ip"],
        public: &["network_interface/0/access_config/0/nat_ip"],
        network: &["network_interface/0/subnetwork", "network_interface/0/network"],
        power: &["current_status", "desired_status"],
        os: &["boot_disk/0/initialize_params/0/image"],
        tags: "labels",
        zone: &["zone"],
        boot_size: &["boot_disk/0/initialize_params/0/size"],
        boot_volume: &["boot_disk/0/source"],
        disks: &[("attached_disk", "", "source", "device_name"), ("scratch_disk", "size", "", "")],
        groups: &["network_interface/0/network"],
        ..NOTHING
    },
    ServerKind {
        kind: "openstack_compute_instance_v2",
        provider: "openstack",
        shape: &["flavor_name", "flavor_id"],
        ips: &["access_ip_v4", "network/0/fixed_ip_v4"],
        macs: &["network/0/mac"],
        network: &["network/0/name"],
        power: &["power_state"],
        os: &["image_name"],
        tags: "all_metadata",
        zone: &["availability_zone"],
        disks: &[("block_device", "volume_size", "uuid", "device_type")],
        groups: &["security_groups"],
        ..NOTHING
    },
    ServerKind {
        kind: "alicloud_instance",
        provider: "alibaba",
        names: &["instance_name", "host_name"],
        shape: &["instance_type"],
        vcpus: &["cpu"],
        memory: &["memory"],
        ips: &["private_ip", "primary_ip_address"],
        public: &["public_ip"],
        network: &["vswitch_id"],
        power: &["status"],
        os: &["os_name", "image_id"],
        zone: &["availability_zone"],
        boot_size: &["system_disk_size"],
        boot_volume: &["system_disk_id"],
        disks: &[("data_disks", "size", "disk_id", "device")],
        groups: &["security_groups"],
        ..NOTHING
    },
    ServerKind {
        kind: "ncloud_server",
        provider: "ncp",
        shape: &["server_spec_code", "server_product_code"],
        vcpus: &["cpu_count"],
        ips: &["private_ip", "network_interface/0/private_ip"],
        public: &["public_ip"],
        network: &["subnet_no"],
        os: &["server_image_name", "server_image_product_code", "platform_type"],
        tags: "tag_list",
        zone: &["zone"],
        groups: &["access_control_group_configuration_no_list"],
        ..NOTHING
    },
    ServerKind {
        kind: "tencentcloud_instance",
        provider: "tencent",
        names: &["instance_name"],
        shape: &["instance_type"],
        vcpus: &["cpu"],
        ips: &["private_ip"],
        public: &["public_ip"],
        network: &["subnet_id"],
        power: &["instance_status"],
        os: &["os_name"],
        zone: &["availability_zone"],
        boot_size: &["system_disk_size"],
        boot_volume: &["system_disk_id"],
        disks: &[("data_disks", "data_disk_size", "data_disk_id", "")],
        groups: &["orderly_security_groups", "security_groups"],
        ..NOTHING
    },
    ServerKind {
        kind: "vsphere_virtual_machine",
        vcpus: &["num_cpus"],
        memory: &["memory"],
        ips: &["guest_ip_addresses", "default_ip_address"],
        macs: &["network_interface/0/mac_address"],
        network: &["network_interface/0/network_id"],
        power: &["power_state"],
        os: &["guest_id"],
        disks: &[("disk", "size", "", "label")],
        ..NOTHING
    },
    ServerKind {
        kind: "libvirt_domain",
        vcpus: &["vcpu"],
        memory: &["memory"],
        ips: &["network_interface/0/addresses"],
        macs: &["network_interface/0/mac"],
        network: &["network_interface/0/network_name"],
        disks: &[("disk", "", "volume_id", "")],
        ..NOTHING
    },
    ServerKind {
        kind: "digitalocean_droplet",
        vcpus: &["vcpus"],
        memory: &["memory"],
        ips: &["ipv4_address_private"],
        public: &["ipv4_address"],
        power: &["status"],
        os: &["image"],
        zone: &["region"],
        boot_size: &["disk"],
        ..NOTHING
    },
    ServerKind {
        kind: "oci_core_instance",
        provider: "oci",
        names: &["display_name"],
        shape: &["shape"],
        vcpus: &["shape_config/0/vcpus"],
        ips: &["private_ip"],
        public: &["public_ip"],
        network: &["create_vnic_details/0/subnet_id"],
        power: &["state"],
        tags: "freeform_tags",
        zone: &["availability_domain"],
        boot_size: &["source_details/0/boot_volume_size_in_gbs"],
        ..NOTHING
    },
    ServerKind {
        kind: "ibm_is_instance",
        provider: "ibm",
        shape: &["profile"],
        vcpus: &["vcpu/0/count"],
        ips: &[
            "primary_network_interface/0/primary_ip/0/address",
            "primary_network_interface/0/primary_ipv4_address",
        ],
        network: &["primary_network_interface/0/subnet"],
        power: &["status"],
        zone: &["zone"],
        boot_size: &["boot_volume/0/size"],
        groups: &["primary_network_interface/0/security_groups"],
        ..NOTHING
    },
];

/// A resource that is a volume.
pub(super) struct VolumeKind {
    pub kind: &'static str,
    /// Capacity in GiB.
    pub size: &'static str,
    pub names: &'static [&'static str],
    /// What it is made of.
    pub media: &'static str,
}

/// Every resource that is a volume.
pub(super) const VOLUMES: &[VolumeKind] = &[
    VolumeKind { kind: "aws_ebs_volume", size: "size", names: &["tags/Name"], media: "type" },
    VolumeKind {
        kind: "azurerm_managed_disk",
        size: "disk_size_gb",
        names: &["name"],
        media: "storage_account_type",
    },
    VolumeKind { kind: "google_compute_disk", size: "size", names: &["name"], media: "type" },
    VolumeKind {
        kind: "openstack_blockstorage_volume_v3",
        size: "size",
        names: &["name"],
        media: "volume_type",
    },
    VolumeKind {
        kind: "openstack_blockstorage_volume_v2",
        size: "size",
        names: &["name"],
        media: "volume_type",
    },
    VolumeKind { kind: "alicloud_ecs_disk", size: "size", names: &["disk_name", "name"], media: "category" },
    VolumeKind { kind: "alicloud_disk", size: "size", names: &["disk_name", "name"], media: "category" },
    VolumeKind { kind: "ncloud_block_storage", size: "size", names: &["name"], media: "disk_detail_type" },
    VolumeKind {
        kind: "tencentcloud_cbs_storage",
        size: "storage_size",
        names: &["storage_name"],
        media: "storage_type",
    },
    VolumeKind { kind: "oci_core_volume", size: "size_in_gbs", names: &["display_name"], media: "" },
];

/// A resource that attaches a volume to a machine: kind, volume, machine, and device.
pub(super) const ATTACHMENTS: &[(&str, &str, &str, &str)] = &[
    ("aws_volume_attachment", "volume_id", "instance_id", "device_name"),
    ("azurerm_virtual_machine_data_disk_attachment", "managed_disk_id", "virtual_machine_id", ""),
    ("google_compute_attached_disk", "disk", "instance", "device_name"),
    ("openstack_compute_volume_attach_v2", "volume_id", "instance_id", "device"),
    ("alicloud_ecs_disk_attachment", "disk_id", "instance_id", ""),
    ("alicloud_disk_attachment", "disk_id", "instance_id", ""),
    ("ncloud_block_storage", "id", "server_instance_no", "device_name"),
    ("tencentcloud_cbs_storage_attachment", "storage_id", "instance_id", ""),
    ("oci_core_volume_attachment", "volume_id", "instance_id", "device"),
];

/// Known resources that are no part of an estate by themselves: networks and what joins things that are read.
pub(super) const IS_NO_HOST: &[&str] = &[
    "alicloud_disk_attachment",
    "alicloud_ecs_disk_attachment",
    "alicloud_security_group",
    "alicloud_vpc",
    "alicloud_vswitch",
    "aws_internet_gateway",
    "aws_route_table",
    "aws_route_table_association",
    "aws_subnet",
    "aws_volume_attachment",
    "aws_vpc",
    "azurerm_network_interface",
    "azurerm_network_interface_security_group_association",
    "azurerm_resource_group",
    "azurerm_subnet",
    "azurerm_subnet_network_security_group_association",
    "azurerm_virtual_machine_data_disk_attachment",
    "azurerm_virtual_network",
    "google_compute_attached_disk",
    "google_compute_network",
    "google_compute_subnetwork",
    "ncloud_access_control_group",
    "ncloud_network_interface",
    "ncloud_subnet",
    "ncloud_vpc",
    "openstack_compute_flavor_v2",
    "openstack_compute_volume_attach_v2",
    "openstack_networking_network_v2",
    "openstack_networking_port_v2",
    "openstack_networking_secgroup_v2",
    "openstack_networking_subnet_v2",
];

/// Kinds of the OpenStack provider that providers made from it have too, under names of their own and with the same attributes.
const OF_OPENSTACK: [&str; 14] = [
    "openstack_blockstorage_volume_v2",
    "openstack_blockstorage_volume_v3",
    "openstack_compute_flavor_v2",
    "openstack_compute_instance_v2",
    "openstack_compute_volume_attach_v2",
    "openstack_lb_listener_v2",
    "openstack_lb_loadbalancer_v2",
    "openstack_lb_member_v2",
    "openstack_lb_pool_v2",
    "openstack_networking_network_v2",
    "openstack_networking_port_v2",
    "openstack_networking_secgroup_rule_v2",
    "openstack_networking_secgroup_v2",
    "openstack_networking_subnet_v2",
];

/// Providers made from that of OpenStack.
const LIKE_OPENSTACK: [&str; 3] = ["flexibleengine_", "opentelekomcloud_", "telefonicaopencloud_"];

/// What a kind is called by the provider that others were made from; its own name for all others.
pub(super) fn canonical(kind: &str) -> &str {
    let rest = LIKE_OPENSTACK.iter().find_map(|prefix| kind.strip_prefix(prefix));
    let same = |known: &&&str| known.strip_prefix("openstack_") == rest;
    rest.and_then(|_| OF_OPENSTACK.iter().find(same)).copied().unwrap_or(kind)
}
