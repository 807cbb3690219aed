//! The promises, one function each.

use super::names::*;
use super::*;

impl Suite<'_> {
    pub async fn the_account_is_known_and_wrong_credentials_are_denied(&self) {
        let access = self.driver.access().await.expect("the credentials are good");
        let (_, region) = self.world.place();
        assert!(access.regions.is_none_or(|regions| regions.contains(&region)), "its region is one of them");
        let refused = self.world.denied().access().await.expect_err("the credentials are wrong");
        assert_eq!(refused.kind, ErrorKind::Denied, "{refused}");
    }

    pub async fn making_is_idempotent_by_key_and_tells_whose_it_is(&self) {
        let first = self.ours(network("cf-net"));
        assert_eq!(self.driver.observe(&first).await, Ok(None));
        assert_eq!(self.driver.check(&first).await, Ok(Vec::new()));
        let made = self.driver.ensure(&first).await.expect("nothing is in the way");
        assert!(matches!(made, Outcome::Made(_)), "{made:?}");
        let resource = self.ready(&first).await;
        assert_eq!((resource.kind, resource.name.as_str()), (Kind::Network, "cf-net"));
        assert_eq!(resource.id, made.resource().id);

        assert_eq!(self.driver.ensure(&first).await, Ok(Outcome::AlreadyThere(resource.clone())));
        let other_run = self.target(RUNS[1], "plan", network("cf-net"));
        assert_eq!(self.driver.ensure(&other_run).await, Ok(Outcome::Adopted(resource)));
        self.remove(&first).await;
        assert_eq!(self.driver.remove(&first).await, Ok(Removal::Absent));
        assert_eq!(self.driver.observe(&first).await, Ok(None));
    }

    pub async fn what_another_plan_made_is_neither_taken_nor_removed(&self) {
        let theirs = self.target(RUNS[0], "their plan", network("cf-net"));
        self.driver.ensure(&theirs).await.expect("nothing is in the way");
        let ours = self.target(RUNS[1], "our plan", network("cf-net"));
        assert_eq!(self.refusal(&ours).await, ErrorKind::Conflict);
        assert_eq!(self.driver.remove(&ours).await, Ok(Removal::NotOurs));
        // The same plan in another run adopted it at most: it stays with the run that made it.
        let adopter = self.target(RUNS[2], "their plan", network("cf-net"));
        assert_eq!(self.driver.remove(&adopter).await, Ok(Removal::NotOurs));
        self.remove(&theirs).await;
    }

    pub async fn what_a_person_made_is_neither_taken_nor_removed(&self) {
        if self.driver.capabilities().of(Kind::KeyPair) != Some(Ability::Makes) {
            return;
        }
        let action = key_pair("cf-person");
        self.world.plant(&action).await;
        let ours = self.ours(action);
        assert_eq!(self.refusal(&ours).await, ErrorKind::Conflict);
        assert_eq!(self.driver.remove(&ours).await, Ok(Removal::NotOurs));
        let seen = self.driver.observe(&ours).await.expect("readable").expect("it is there");
        assert_eq!(seen.resource.owner, None);
        assert!(self.listed(None).await.iter().all(|(_, name)| name != "cf-person"));
    }

    pub async fn other_settings_are_a_conflict_and_are_told(&self) {
        let network = self.make(network("cf-net")).await;
        let group_of = |ports| self.ours(group("cf-sg", "cf-net", ports));
        let made = self.make(group("cf-sg", "cf-net", &[(22, 22), (8000, 8010)])).await;
        // The order of rules says nothing.
        let same = group_of(&[(8000, 8010), (22, 22)]);
        let seen = self.driver.observe(&same).await.expect("readable").expect("it is there");
        assert_eq!(seen.differences, Vec::<String>::new());
        let changed = group_of(&[(22, 22), (443, 443)]);
        let seen = self.driver.observe(&changed).await.expect("readable").expect("it is there");
        assert!(!seen.differences.is_empty());
        assert_eq!(self.refusal(&changed).await, ErrorKind::Conflict);
        self.remove(&made).await;
        self.remove(&network).await;
    }

    pub async fn nothing_is_made_without_what_it_needs_nor_removed_while_it_is_needed(&self) {
        let front = self.ours(subnet("cf-sub", "cf-net", "10.40.1.0/24"));
        assert_eq!(self.refusal(&front).await, ErrorKind::NotFound);
        // Whether the network exists yet is not the question when a plan is checked.
        assert_eq!(self.driver.check(&front).await, Ok(Vec::new()));
        let network = self.make(network("cf-net")).await;
        let front = self.make(front.action).await;
        let refused = self.driver.remove(&network).await.expect_err("the subnet is in it");
        assert_eq!(refused.kind, ErrorKind::Conflict, "{refused}");
        self.remove(&front).await;
        self.remove(&network).await;
    }

    pub async fn addresses_are_inside_their_network_and_beside_one_another(&self) {
        let network = self.make(network("cf-net")).await;
        let first = self.make(subnet("cf-a", "cf-net", "10.40.0.0/20")).await;
        for (cidr, expected) in [
            ("10.40.15.0/24", ErrorKind::Conflict),
            ("10.41.0.0/24", ErrorKind::Invalid),
            ("10.40.16.1/24", ErrorKind::Invalid),
            ("everything", ErrorKind::Invalid),
        ] {
            let clashing = self.ours(subnet("cf-b", "cf-net", cidr));
            let refusals = self.driver.check(&clashing).await.expect("readable");
            let told: Vec<ErrorKind> = refusals.iter().map(|error| error.kind).collect();
            assert_eq!(told, [expected], "{cidr} is told before it is tried: {refusals:?}");
            assert_eq!(self.refusal(&clashing).await, expected, "{cidr}");
        }
        let second = self.make(subnet("cf-b", "cf-net", "10.40.16.0/24")).await;
        for target in [second, first, network] {
            self.remove(&target).await;
        }
    }

    pub async fn what_a_run_owns_is_listed_and_can_be_discarded(&self) {
        let network = self.make(network("cf-net")).await;
        let group_action = group("cf-sg", "cf-net", &[(22, 22)]);
        let others = self.target(RUNS[1], "other", group_action);
        self.driver.ensure(&others).await.expect("free");
        let (net, sg) = ((Kind::Network, "cf-net".to_owned()), (Kind::SecurityGroup, "cf-sg".to_owned()));
        assert_eq!(self.listed(Some(RUNS[0])).await, std::slice::from_ref(&net));
        assert_eq!(self.listed(Some(RUNS[1])).await, std::slice::from_ref(&sg));
        assert_eq!(self.listed(Some("no-such-run")).await, []);
        let all = self.listed(None).await;
        assert!(all.contains(&net) && all.contains(&sg), "{all:?}");

        let (provider, region) = self.world.place();
        let found = self.driver.list(&provider, &region, Some(&RUNS[1].into())).await.expect("readable");
        let stranger = Ownership { run: RUNS[2].into(), ..others.owner.clone() };
        let changed_hands = Resource { owner: Some(stranger), ..found[0].clone() };
        let left = self.driver.discard(&provider, &region, &changed_hands).await;
        assert_eq!(left, Ok(Removal::NotOurs), "it belongs to another run than was listed");
        assert_eq!(self.driver.discard(&provider, &region, &found[0]).await, Ok(Removal::Removed));
        assert_eq!(self.driver.discard(&provider, &region, &found[0]).await, Ok(Removal::Absent));
        self.remove(&network).await;
    }

    pub async fn a_lost_reply_leaves_one_resource_that_is_found_again(&self) {
        let target = self.ours(network("cf-lost"));
        self.world.lose_next_reply();
        assert_eq!(self.refusal(&target).await, ErrorKind::Unknown);
        let again = self.driver.ensure(&target).await.expect("it is found");
        assert!(matches!(again, Outcome::AlreadyThere(_)), "{again:?}");
        self.ready(&target).await;
        assert_eq!(self.listed(Some(RUNS[0])).await, [(Kind::Network, "cf-lost".to_owned())]);
        self.world.lose_next_reply();
        let lost = self.driver.remove(&target).await.expect_err("the reply is lost");
        assert_eq!(lost.kind, ErrorKind::Unknown, "{lost}");
        assert_eq!(self.driver.remove(&target).await, Ok(Removal::Absent));
    }

    pub async fn what_takes_time_is_creating_before_it_is_ready(&self) {
        if !self.world.make_next_slow() {
            return self.leave_out("creating before ready");
        }
        let target = self.ours(network("cf-slow"));
        let made = self.driver.ensure(&target).await.expect("nothing is in the way");
        assert_eq!(made.resource().status, Status::Creating);
        // Asking again meanwhile makes no second one.
        let again = self.driver.ensure(&target).await.expect("it is there");
        assert!(matches!(again, Outcome::AlreadyThere(_)), "{again:?}");
        self.ready(&target).await;
        self.remove(&target).await;
    }

    pub async fn every_reason_against_a_machine_is_told_at_once(&self) {
        let refusals = self.driver.check(&self.ours(self.impossible_machine())).await.expect("readable");
        let kinds: Vec<ErrorKind> = refusals.iter().map(|refusal| refusal.kind).collect();
        assert!(kinds.len() >= 2, "neither type nor image exists: {refusals:?}");
        let says = |word: &str| refusals.iter().any(|refusal| refusal.message.contains(word));
        assert!(says("no-such-type") && says("image"), "{refusals:?}");
        assert!(
            kinds.iter().all(|kind| [ErrorKind::NotFound, ErrorKind::NoCapacity].contains(kind)),
            "{refusals:?}"
        );
    }

    /// Everything that a plan can ask for, standing on one another.
    pub async fn a_whole_site_is_made_found_and_removed(&self) {
        let mut wanted = vec![
            network("cf-net"),
            subnet("cf-sub", "cf-net", "10.40.1.0/24"),
            subnet("cf-sub2", "cf-net", "10.40.2.0/24"),
            group("cf-sg", "cf-net", &[(22, 22), (443, 443)]),
            key_pair("cf-key"),
            self.machine("cf-vm"),
            self.machine("cf-vm2"),
            disk("cf-disk"),
            Action::Attachment { name: "cf-disk-at".into(), disk: "cf-disk".into(), machine: "cf-vm".into() },
            Action::PublicAddress { name: "cf-ip".into(), machine: "cf-vm".into() },
            Action::LoadBalancer {
                name: "cf-lb".into(),
                subnet: "cf-sub".into(),
                public: true,
                protocol: "tcp".into(),
                port: 443,
                member_port: 443,
                members: vec!["cf-vm".into(), "cf-vm2".into()],
                health_check: None,
            },
            Action::KubernetesCluster {
                name: "cf-k8s".into(),
                version: None,
                subnets: vec!["cf-sub".into(), "cf-sub2".into()],
                security_groups: vec!["cf-sg".into()],
                key_pair: "cf-key".into(),
                instance_type: self.world.instance_type().0.into(),
                nodes: 2,
            },
        ];
        wanted.retain(|action| self.makes(Kind::of(action).expect("a resource")));
        let mut made = Vec::new();
        for action in wanted {
            let told = self.driver.check(&self.ours(action.clone())).await.expect("readable");
            assert_eq!(told, [], "{action:?}");
            made.push(self.make(action).await);
        }
        for target in &made {
            let again = self.driver.ensure(target).await;
            assert!(matches!(again, Ok(Outcome::AlreadyThere(_))), "{:?}: {again:?}", target.action);
        }
        let mut expected: Vec<(Kind, String)> =
            made.iter().map(|target| (target.kind, target.name().to_owned())).collect();
        expected.sort();
        assert_eq!(self.listed(Some(RUNS[0])).await, expected);

        let stood_on = [Kind::Network, Kind::Subnet, Kind::SecurityGroup, Kind::KeyPair];
        for target in
            made.iter().filter(|target| stood_on.contains(&target.kind) && target.name() != "cf-sub2")
        {
            let refused = self.driver.remove(target).await;
            assert_eq!(refused.as_ref().map_err(|e| e.kind), Err(ErrorKind::Conflict), "{refused:?}");
        }
        for target in made.iter().rev() {
            self.remove(target).await;
        }
        assert_eq!(self.listed(Some(RUNS[0])).await, []);
    }

    pub async fn nothing_is_left(&self) {
        for run in RUNS {
            assert_eq!(self.listed(Some(run)).await, [], "{run} left something");
        }
    }
}
