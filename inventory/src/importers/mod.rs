//! One module for each format.

pub mod ansible;

pub mod aws_discovery;

pub mod aws_mgn;

pub mod azure_migrate;

pub mod carafe;

pub mod columns;

pub mod ec2;

pub mod honeybee;

pub mod kubernetes;

pub mod libvirt;

pub mod migration_center;

pub mod openstack;

pub mod rvtools;

pub mod terraform;

mod cloud;
