//! The labelling problem that placement is, as dense numbers.
//!
//! A **node** is a group of hosts that must share a place, a **label** is a place: a region, or a zone of one. Choose a
//! label `x` for every node to minimise
//!
//! ```text
//! Σ_i cost_i(x_i)  +  Σ_(a,b) V_ab(x_a, x_b)  +  Σ_(r in use) open_r  +  Σ_(p in use) open_p
//! ```
//!
//! where `V_ab` is 0 for one label, and otherwise what traffic pays between zones of a region, regions of a provider, or
//! providers. These prices depend on the place that sends, so an edge has three numbers for each end and each class of
//! places that charge alike, and the minimum over one end is found in time linear in the number of labels
//! (`reach`).
//!
//! Besides, a labelling may break no rule: no pair of labels that an edge's table refuses, no more regions or providers
//! than allowed, and no more of a capacity than there is. A table may also price pairs; placement has no use for that, but
//! any pairwise model can then be solved.
//!
//! All costs are integers in one unit that the caller chooses so that no sum overflows; a bound found in these
//! integers is a bound without tolerance.

use std::sync::Arc;

/// Stands for "not allowed"; far above any sum of costs and far below overflow.
pub const NEVER: i64 = i64::MAX / 4;

/// A labelling problem.
#[derive(Clone, Debug)]
pub struct Problem {
    /// What labels are.
    pub places: Arc<Places>,
    /// Labels each node may take, ascending, with what they cost.
    pub nodes: Vec<Vec<(u32, i64)>>,
    /// Traffic between nodes; at most one edge for a pair, never from a node to itself.
    pub edges: Vec<Edge>,
    /// Cost of using a region at all.
    pub open_region: Vec<i64>,
    /// Cost of using a provider at all.
    pub open_provider: Vec<i64>,
    /// Most regions that may be used.
    pub max_regions: Option<u32>,
    /// Most providers that may be used.
    pub max_providers: Option<u32>,
    /// What pairs of labels cost or refuse by themselves, shared by edges of one rule.
    pub tables: Arc<[PairTable]>,
    /// How much there is of everything that is scarce.
    pub capacities: Vec<i64>,
    /// By node: what its labels take of capacities, ascending by label. Empty when there are no capacities.
    pub uses: Vec<Vec<Use>>,
}

/// What labels are: zones in regions of providers. Labels of one region are neighbours, as are regions of one provider.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Region of each label, ascending.
    pub region: Vec<u32>,
    /// Provider of each label, ascending.
    pub provider: Vec<u32>,
    /// Class of each label: labels of one class charge the same for traffic.
    pub class: Vec<u32>,
    /// How many classes there are.
    pub n_classes: usize,
}

impl Places {
    /// Places in which every label is a region of its own.
    pub fn of_regions(provider: Vec<u32>, class: Vec<u32>, n_classes: usize) -> Places {
        Places { region: (0..provider.len() as u32).collect(), provider, class, n_classes }
    }

    /// How many labels there are.
    pub fn n_labels(&self) -> usize {
        self.region.len()
    }

    /// Whether a region has more than one label.
    pub fn has_zones(&self) -> bool {
        self.region.windows(2).any(|pair| pair[0] == pair[1])
    }

    /// Provider of a label.
    pub fn provider_of(&self, label: u32) -> usize {
        self.provider[label as usize] as usize
    }

    /// Region of a label.
    pub fn region_of(&self, label: u32) -> usize {
        self.region[label as usize] as usize
    }
}

/// What an end of an edge pays for what it sends, by class of its label: to another zone of the region, to another region
/// of the provider, to another provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tariff {
    /// By class: `[zone, region, internet]`.
    pub by_class: Box<[[i64; 3]]>,
}

impl Tariff {
    /// Sends nothing.
    pub fn nothing(n_classes: usize) -> Tariff {
        Tariff { by_class: vec![[0; 3]; n_classes].into() }
    }

    fn most(&self) -> i64 {
        self.by_class.iter().flatten().copied().max().unwrap_or(0)
    }
}

/// Traffic between two nodes, and which pairs of labels they may not take.
#[derive(Clone, Debug)]
pub struct Edge {
    /// One end.
    pub a: u32,
    /// The other end.
    pub b: u32,
    /// What `a` pays.
    pub a_pays: Tariff,
    /// What `b` pays.
    pub b_pays: Tariff,
    /// Place in [`Problem::tables`] of what its pairs cost besides, and which are refused.
    pub table: Option<u32>,
}

impl Edge {
    /// What traffic costs when `a` has label `r` and `b` has label `s`.
    pub fn cost(&self, places: &Places, r: u32, s: u32) -> i64 {
        if r == s {
            return 0;
        }
        let (r, s) = (r as usize, s as usize);
        let level = if places.region[r] == places.region[s] {
            0
        } else if places.provider[r] == places.provider[s] {
            1
        } else {
            2
        };
        self.a_pays.by_class[places.class[r] as usize][level]
            + self.b_pays.by_class[places.class[s] as usize][level]
    }

    /// The most it can cost.
    pub fn most(&self) -> i64 {
        self.a_pays.most() + self.b_pays.most()
    }

    /// The end that is not `node`.
    pub fn other(&self, node: u32) -> u32 {
        if self.a == node { self.b } else { self.a }
    }
}

/// What pairs of labels cost by themselves, traffic aside; [`NEVER`] is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairTable {
    n_labels: usize,
    costs: Box<[i64]>,
}

impl PairTable {
    /// The pairs `(label of a, label of b)` that `refuses` names are refused, others cost nothing.
    pub fn new(n_labels: usize, refuses: impl Fn(u32, u32) -> bool) -> PairTable {
        PairTable::of_costs(n_labels, |a, b| if refuses(a, b) { NEVER } else { 0 })
    }

    /// What the pairs `(label of a, label of b)` cost: nothing at least, [`NEVER`] for what is refused.
    pub fn of_costs(n_labels: usize, cost: impl Fn(u32, u32) -> i64) -> PairTable {
        let n = n_labels as u32;
        let costs = (0..n).flat_map(|a| (0..n).map(move |b| (a, b))).map(|(a, b)| cost(a, b)).collect();
        PairTable { n_labels, costs }
    }

    /// What it costs that `a` has label `r` while `b` has label `s`.
    pub fn cost(&self, r: u32, s: u32) -> i64 {
        self.costs[r as usize * self.n_labels + s as usize]
    }

    /// Whether `a` may not have label `r` while `b` has label `s`.
    pub fn refuses(&self, r: u32, s: u32) -> bool {
        self.cost(r, s) >= NEVER
    }
}

/// What a node takes of a capacity when it has a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The label.
    pub label: u32,
    /// Place in [`Problem::capacities`].
    pub capacity: u32,
    /// How much of it.
    pub amount: i64,
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
    /// A problem about places, without nodes, opening costs or rules.
    pub fn about(places: Places) -> Problem {
        let count = |of: &[u32]| of.iter().max().map_or(0, |last| *last as usize + 1);
        Problem {
            open_region: vec![0; count(&places.region)],
            open_provider: vec![0; count(&places.provider)],
            places: Arc::new(places),
            nodes: Vec::new(),
            edges: Vec::new(),
            max_regions: None,
            max_providers: None,
            tables: Arc::new([]),
            capacities: Vec::new(),
            uses: Vec::new(),
        }
    }

    /// The cost of a labelling; `None` when it breaks a rule.
    pub fn cost(&self, labels: &[u32]) -> Option<i64> {
        let (cost, n_regions, n_providers) = self.cost_and_use(labels)?;
        let within = |used: u32, most: Option<u32>| most.is_none_or(|most| used <= most);
        let keeps_rules = within(n_regions, self.max_regions)
            && within(n_providers, self.max_providers)
            && self
                .edges
                .iter()
                .all(|edge| !self.refuses(edge, labels[edge.a as usize], labels[edge.b as usize]))
            && self.loads(labels).iter().zip(&self.capacities).all(|(load, capacity)| load <= capacity);
        keeps_rules.then_some(cost)
    }

    /// The cost of a labelling whatever the rules, and how many regions and providers it uses; `None` when a node has
    /// a label that it may not take.
    pub fn cost_and_use(&self, labels: &[u32]) -> Option<(i64, u32, u32)> {
        let mut total = 0i64;
        let mut region_used = vec![false; self.open_region.len()];
        let mut provider_used = vec![false; self.open_provider.len()];
        for (node, &label) in self.nodes.iter().zip(labels) {
            let place = node.binary_search_by_key(&label, |&(l, _)| l).ok()?;
            total += node[place].1;
            region_used[self.places.region_of(label)] = true;
            provider_used[self.places.provider_of(label)] = true;
        }
        for edge in &self.edges {
            total += self.edge_cost(edge, labels[edge.a as usize], labels[edge.b as usize]);
        }
        let used = |flags: &[bool]| flags.iter().filter(|used| **used).count() as u32;
        let opening = |flags: &[bool], costs: &[i64]| -> i64 {
            flags.iter().zip(costs).filter(|(used, _)| **used).map(|(_, cost)| cost).sum()
        };
        total += opening(&region_used, &self.open_region) + opening(&provider_used, &self.open_provider);
        Some((total, used(&region_used), used(&provider_used)))
    }

    /// What an edge costs when its ends have these labels; of a pair that its table refuses, what the traffic costs.
    pub fn edge_cost(&self, edge: &Edge, r: u32, s: u32) -> i64 {
        let by_table = match edge.table {
            Some(table) => self.tables[table as usize].cost(r, s),
            None => 0,
        };
        edge.cost(&self.places, r, s) + if by_table < NEVER { by_table } else { 0 }
    }

    /// Whether an edge's table refuses these labels of its ends.
    pub fn refuses(&self, edge: &Edge, r: u32, s: u32) -> bool {
        edge.table.is_some_and(|table| self.tables[table as usize].refuses(r, s))
    }

    /// What a node takes of capacities with a label.
    pub fn uses_of(&self, node: usize, label: u32) -> &[Use] {
        let Some(uses) = self.uses.get(node) else { return &[] };
        let from = uses.partition_point(|found| found.label < label);
        let to = uses.partition_point(|found| found.label <= label);
        &uses[from..to]
    }

    /// How much of each capacity a labelling takes.
    pub fn loads(&self, labels: &[u32]) -> Vec<i64> {
        let mut loads = vec![0; self.capacities.len()];
        if !loads.is_empty() {
            for (node, &label) in labels.iter().enumerate() {
                for found in self.uses_of(node, label) {
                    loads[found.capacity as usize] += found.amount;
                }
            }
        }
        loads
    }

    /// Whether using a region or provider costs anything by itself.
    pub fn has_openings(&self) -> bool {
        self.open_region.iter().chain(&self.open_provider).any(|cost| *cost > 0)
    }

    /// Whether how many regions or providers are used is limited.
    pub fn has_limits(&self) -> bool {
        self.max_regions.is_some() || self.max_providers.is_some()
    }

    /// Whether a labelling within the nodes' own lists can break a rule that is not a limit on regions or providers.
    pub fn has_rules(&self) -> bool {
        !self.capacities.is_empty() || self.edges.iter().any(|edge| edge.table.is_some())
    }

    /// Whether anything ties nodes together that no edge joins.
    pub fn is_coupled(&self) -> bool {
        self.has_limits() || self.has_openings() || !self.capacities.is_empty()
    }

    /// The edges of every node.
    pub fn incidence(&self) -> Incidence {
        let mut first = vec![0u32; self.nodes.len() + 1];
        for edge in &self.edges {
            first[edge.a as usize + 1] += 1;
            first[edge.b as usize + 1] += 1;
        }
        for node in 0..self.nodes.len() {
            first[node + 1] += first[node];
        }
        let mut next = first.clone();
        let mut edges = vec![0u32; self.edges.len() * 2];
        for (place, edge) in self.edges.iter().enumerate() {
            for end in [edge.a, edge.b] {
                edges[next[end as usize] as usize] = place as u32;
                next[end as usize] += 1;
            }
        }
        Incidence { first, edges }
    }
}

/// The edges of every node, as places in [`Problem::edges`], ascending.
#[derive(Clone, Debug, Default)]
pub struct Incidence {
    first: Vec<u32>,
    edges: Vec<u32>,
}

impl Incidence {
    /// The edges of a node.
    pub fn of(&self, node: usize) -> &[u32] {
        &self.edges[self.first[node] as usize..self.first[node + 1] as usize]
    }
}
