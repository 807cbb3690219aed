//! The one list of estate formats, and what each brings.

use carafe_model::catalog::Snapshot;
use carafe_model::finding::Finding;

use crate::collected::{answers, ssh};
use crate::glance::Glance;
use crate::importers::columns::ColumnMap;
use crate::importers::{
    ansible, aws_discovery, aws_mgn, azure_migrate, carafe, columns, ec2, honeybee, kubernetes, libvirt,
    migration_center, openstack, rvtools, terraform,
};
use crate::input::InputFile;
use crate::raw::RawEstate;

/// A format that estates are read from.
pub struct Importer {
    /// What users call it, for example with `--as`.
    pub name: &'static str,
    /// One line for help texts.
    pub summary: &'static str,
    /// Whether a person writes such files, so that what they say goes before what tools found.
    pub by_hand: bool,
    /// Whether the file looks like this format, at a glance.
    pub sniff: fn(&Glance<'_>) -> bool,
    /// How files of this format are read. Never panics, whatever the bytes.
    pub read: Read,
}

/// How files of a format are read; `None` when nothing in them can be used.
pub enum Read {
    /// Each file is an estate of its own.
    Each(fn(&InputFile<'_>, &Reading<'_>, &mut Vec<Finding>) -> Option<RawEstate>),
    /// Several files are the parts of one estate, as the tables of one export are.
    Together(fn(&[InputFile<'_>], &Reading<'_>, &mut Vec<Finding>) -> Option<RawEstate>),
}

/// What readers may need beside the files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading<'a> {
    /// Where sizes of instance types are looked up; the starter catalog when absent.
    pub catalog: Option<&'a Snapshot>,
    /// What the columns of a plain table mean; guessed from their headings when absent.
    pub columns: Option<&'a ColumnMap>,
}

/// Every format, in the order in which they are tried: the more particular first.
pub const IMPORTERS: &[Importer] = &[
    Importer {
        name: "carafe",
        summary: "Carafe's own estate document (JSON, estate/1), also to add by hand what an export lacks",
        by_hand: true,
        sniff: carafe::sniff,
        read: Read::Each(carafe::read),
    },
    Importer {
        name: "terraform",
        summary: "Terraform or OpenTofu state (JSON, version 4, or show -json)",
        by_hand: false,
        sniff: terraform::sniff,
        read: Read::Together(terraform::read),
    },
    Importer {
        name: "openstack",
        summary: "OpenStack lists of servers, flavors, volumes, ports and more (JSON)",
        by_hand: false,
        sniff: openstack::sniff,
        read: Read::Together(openstack::read),
    },
    Importer {
        name: "ec2",
        summary: "answers of aws ec2 describe-instances, describe-volumes and their kin (JSON)",
        by_hand: false,
        sniff: ec2::sniff,
        read: Read::Together(ec2::read),
    },
    Importer {
        name: "kubernetes",
        summary: "kubectl get -o json or -o yaml: nodes, workloads, services, volume claims",
        by_hand: false,
        sniff: kubernetes::sniff,
        read: Read::Together(kubernetes::read),
    },
    Importer {
        name: "ansible",
        summary: "facts gathered by Ansible (JSON), of one host or many",
        by_hand: false,
        sniff: ansible::sniff,
        read: Read::Each(ansible::read),
    },
    Importer {
        name: "collection",
        summary: "what \"carafe inventory collect --collection\" kept of the answers of an API or program (JSON)",
        by_hand: false,
        sniff: answers::sniff,
        read: Read::Each(answers::read),
    },
    Importer {
        name: "ssh-collection",
        summary: "what \"carafe inventory collect ssh --collection\" kept of Linux hosts (JSON)",
        by_hand: false,
        sniff: ssh::sniff,
        read: Read::Each(ssh::read),
    },
    Importer {
        name: "honeybee",
        summary: "on-premises infrastructure model of cm-honeybee (JSON), refined or as collected",
        by_hand: false,
        sniff: honeybee::sniff,
        read: Read::Each(honeybee::read),
    },
    Importer {
        name: "libvirt",
        summary: "libvirt domains (XML of virsh dumpxml), with vol-dumpxml, qemu-img info or domstats for sizes of disks",
        by_hand: false,
        sniff: libvirt::sniff,
        read: Read::Together(libvirt::read),
    },
    Importer {
        name: "rvtools",
        summary: "RVTools workbook of a VMware estate (XLSX)",
        by_hand: false,
        sniff: rvtools::sniff,
        read: Read::Each(rvtools::read),
    },
    Importer {
        name: "rvtools-csv",
        summary: "RVTools export as one CSV file for each tab",
        by_hand: false,
        sniff: rvtools::sniff_csv,
        read: Read::Together(rvtools::read_csv),
    },
    Importer {
        name: "azure-migrate",
        summary: "Azure Migrate import template (CSV)",
        by_hand: false,
        sniff: azure_migrate::sniff,
        read: Read::Each(azure_migrate::read),
    },
    Importer {
        name: "migration-center",
        summary: "Google Migration Center tables vmInfo, diskInfo, perfInfo and tagInfo (CSV)",
        by_hand: false,
        sniff: migration_center::sniff,
        read: Read::Together(migration_center::read),
    },
    Importer {
        name: "aws-discovery",
        summary: "AWS Migration Hub and Application Discovery Service import template (CSV)",
        by_hand: false,
        sniff: aws_discovery::sniff,
        read: Read::Each(aws_discovery::read),
    },
    Importer {
        name: "aws-mgn",
        summary: "AWS Application Migration Service inventory (CSV)",
        by_hand: false,
        sniff: aws_mgn::sniff,
        read: Read::Each(aws_mgn::read),
    },
    Importer {
        name: "csv",
        summary: "any table with one machine in each row (CSV), by its headings or a column map",
        by_hand: false,
        sniff: columns::sniff,
        read: Read::Each(columns::read),
    },
];
