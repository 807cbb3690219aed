//! Carafe's inventory.
