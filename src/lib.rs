//! The program behind the `carafe` command.
