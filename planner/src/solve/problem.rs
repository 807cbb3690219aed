//! The labelling problem that placement is, as dense numbers.
//!
//! A **node** is a group of hosts that must share a region, a **label** is a region. Choose a label `x` for every node
//! to minimise
//!
//! ```text
//! Σ_i cost_i(x_i)  +  Σ_(a,b) V_ab(x_a, x_b)  +  Σ_(r in use) open_r  +  Σ_(p in use) open_p
//! ```
//!
//! where `V_ab(r, s)` is 0 when `r = s`; what traffic pays between regions of one provider when `r` and `s` are of one
//! provider; and what it pays over the internet otherwise. Both prices depend on the region that sends, so an edge is
//! four numbers per class of regions that charge alike, and the minimum over one end is found in time linear in the
//! number of labels (see [`Reach`]).
//!
//! All costs are integers in one unit that the caller chooses so that no sum overflows; a bound found in these
//! integers is a bound without tolerance.

/// Stands for "not allowed"; far above any sum of costs and far below overflow.
pub const NEVER: i64 = i64::MAX / 4;

/// A labelling problem.
#[derive(Clone, Debug, Default)]
pub struct Problem {
    /// Provider of each label.
    pub provider: Vec<u32>,
    /// Class of each label: labels of one class charge the same for traffic.
    pub class: Vec<u32>,
    /// How many classes there are.
    pub n_classes: usize,
    /// Labels each node may take, ascending, with what they cost.
    pub nodes: Vec<Vec<(u32, i64)>>,
    /// Traffic between nodes; at most one edge for a pair, never from a node to itself.
    pub edges: Vec<Edge>,
    /// Cost of using a label at all.
    pub open_label: Vec<i64>,
    /// Cost of using a provider at all.
    pub open_provider: Vec<i64>,
    /// Most labels that may be used.
    pub max_labels: Option<u32>,
    /// Most providers that may be used.
    pub max_providers: Option<u32>,
}

/// Traffic between two nodes: by class of the sending label, what it costs.
#[derive(Clone, Debug)]
pub struct Edge {
    /// One end.
    pub a: u32,
    /// The other end.
    pub b: u32,
    /// What `a` pays, by the class of its label, to another region of its provider.
    pub inside_a: Box<[i64]>,
    /// What `a` pays to another provider.
    pub outside_a: Box<[i64]>,
    /// What `b` pays to another region of its provider.
    pub inside_b: Box<[i64]>,
    /// What `b` pays to another provider.
    pub outside_b: Box<[i64]>,
}

impl Edge {
    /// What traffic costs when `a` has label `r` and `b` has label `s`.
    pub fn cost(&self, problem: &Problem, r: u32, s: u32) -> i64 {
        if r == s {
            return 0;
        }
        let (class_r, class_s) = (problem.class[r as usize] as usize, problem.class[s as usize] as usize);
        if problem.provider[r as usize] == problem.provider[s as usize] {
            self.inside_a[class_r] + self.inside_b[class_s]
        } else {
            self.outside_a[class_r] + self.outside_b[class_s]
        }
    }

    /// The most it can cost.
    pub fn most(&self) -> i64 {
        let most = |costs: &[i64]| costs.iter().copied().max().unwrap_or(0);
        (most(&self.inside_a) + most(&self.inside_b)).max(most(&self.outside_a) + most(&self.outside_b))
    }

    /// The end that is not `node`.
    pub fn other(&self, node: u32) -> u32 {
        if self.a == node { self.b } else { self.a }
    }
}

/// The cheapest way to send to each provider, seen from the labels of one end of an edge.
#[derive(Clone, Debug)]
pub struct Reach {
    /// By label: the value of the sending label itself, or [`NEVER`].
    here: Vec<i64>,
    /// By provider: cheapest sender of the same provider.
    inside: Vec<i64>,
    /// Cheapest sender over the internet, and its provider.
    best: (i64, u32),
    /// Cheapest sender over the internet of another provider than `best`'s.
    second: i64,
}

impl Reach {
    /// Scratch space for a problem.
    pub fn new(problem: &Problem) -> Reach {
        Reach {
            here: vec![NEVER; problem.provider.len()],
            inside: vec![NEVER; problem.open_provider.len()],
            best: (NEVER, u32::MAX),
            second: NEVER,
        }
    }

    /// Takes in the values of the sending end; `from_a` says which end of the edge that is.
    pub fn fill(
        &mut self,
        problem: &Problem,
        edge: &Edge,
        from_a: bool,
        values: impl Iterator<Item = (u32, i64)>,
    ) {
        let (inside, outside) =
            if from_a { (&edge.inside_a, &edge.outside_a) } else { (&edge.inside_b, &edge.outside_b) };
        self.inside.fill(NEVER);
        self.best = (NEVER, u32::MAX);
        self.second = NEVER;
        for (label, value) in values {
            let (provider, class) =
                (problem.provider[label as usize], problem.class[label as usize] as usize);
            self.here[label as usize] = value;
            let inside_best = &mut self.inside[provider as usize];
            *inside_best = (*inside_best).min(value + inside[class]);
            let over_net = value + outside[class];
            if provider == self.best.1 {
                self.best.0 = self.best.0.min(over_net);
            } else if over_net < self.best.0 {
                self.second = self.best.0;
                self.best = (over_net, provider);
            } else {
                self.second = self.second.min(over_net);
            }
        }
    }

    /// `min over r of value(r) + V(r, s)` for the receiving label `s`.
    pub fn to(&self, problem: &Problem, edge: &Edge, from_a: bool, s: u32) -> i64 {
        let (inside, outside) =
            if from_a { (&edge.inside_b, &edge.outside_b) } else { (&edge.inside_a, &edge.outside_a) };
        let (provider, class) = (problem.provider[s as usize], problem.class[s as usize] as usize);
        let over_net = if provider == self.best.1 { self.second } else { self.best.0 };
        // The sender of the same provider may be `s` itself: then this is dearer than `here`, so it does no harm.
        self.here[s as usize]
            .min(self.inside[provider as usize].saturating_add(inside[class]))
            .min(over_net.saturating_add(outside[class]))
    }

    /// Forgets the sending labels, which must be the ones filled in.
    pub fn clear(&mut self, labels: impl Iterator<Item = u32>) {
        for label in labels {
            self.here[label as usize] = NEVER;
        }
    }
}

/// A labelling with its cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelling {
    /// Label of each node.
    pub labels: Vec<u32>,
    /// Its cost.
    pub cost: i64,
}

impl Problem {
    /// The cost of a labelling; `None` when it breaks a rule.
    pub fn cost(&self, labels: &[u32]) -> Option<i64> {
        let (cost, n_labels, n_providers) = self.cost_and_use(labels)?;
        let within = |used: u32, most: Option<u32>| most.is_none_or(|most| used <= most);
        (within(n_labels, self.max_labels) && within(n_providers, self.max_providers)).then_some(cost)
    }

    /// The cost of a labelling whatever the limits, and how many labels and providers it uses; `None` when a node has
    /// a label that it may not take.
    pub fn cost_and_use(&self, labels: &[u32]) -> Option<(i64, u32, u32)> {
        let mut total = 0i64;
        let mut label_used = vec![false; self.provider.len()];
        let mut provider_used = vec![false; self.open_provider.len()];
        for (node, &label) in self.nodes.iter().zip(labels) {
            let place = node.binary_search_by_key(&label, |&(l, _)| l).ok()?;
            total += node[place].1;
            label_used[label as usize] = true;
            provider_used[self.provider[label as usize] as usize] = true;
        }
        for edge in &self.edges {
            total += edge.cost(self, labels[edge.a as usize], labels[edge.b as usize]);
        }
        let used = |flags: &[bool]| flags.iter().filter(|used| **used).count() as u32;
        let opening = |flags: &[bool], costs: &[i64]| -> i64 {
            flags.iter().zip(costs).filter(|(used, _)| **used).map(|(_, cost)| cost).sum()
        };
        total += opening(&label_used, &self.open_label) + opening(&provider_used, &self.open_provider);
        Some((total, used(&label_used), used(&provider_used)))
    }

    /// Whether anything ties nodes together that no edge joins.
    pub fn is_coupled(&self) -> bool {
        self.max_labels.is_some()
            || self.max_providers.is_some()
            || self.open_label.iter().chain(&self.open_provider).any(|cost| *cost > 0)
    }

    /// The edges of every node, as places in `edges`.
    pub fn incidence(&self) -> Vec<Vec<u32>> {
        let mut of_node = vec![Vec::new(); self.nodes.len()];
        for (place, edge) in self.edges.iter().enumerate() {
            of_node[edge.a as usize].push(place as u32);
            of_node[edge.b as usize].push(place as u32);
        }
        of_node
    }
}
