//! A run survives everything: the process ends at every write of the journal and at every call to a cloud, every call
//! fails in every way once, replies are lost, people press Ctrl-C. Each time the run is taken up again, and the cloud at
//! the end is the one that an undisturbed run leaves; or it is destroyed, and nothing is left.
//!
//! A new kind of step is covered by adding it to [`plan`].

mod accidents;
mod everyday;
mod explorer;
mod hooks;
mod plan;
mod random;
mod rig;
mod weather;
mod witness;
