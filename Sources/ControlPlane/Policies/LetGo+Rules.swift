internal import Blocks
internal import Catalog

extension LetGo {
    /// How long what a policy made in one region is kept.
    struct Rules: Sendable {
        let policy: String
        let plan: PolicyPlan
        let account: String
        private let isEnabled: Bool
        /// Did its owner delete it, and it lets all go?
        private let isEnding: Bool
        /// By the schedules' names.
        private let retentions: [Rule]
        /// Of copies: as it was found in the policy's region.
        private let standings: [String: PolicyTargets.Standing]?

        struct Rule: Sendable {
            let schedule: String
            let retention: Retention
            let zone: ZoneOffset
            /// Of snapshots in the policy's own region.
            var archive: Retention?
            /// Of images there, by count.
            var deprecation: Retention?
        }

        /// Of its snapshots in its own region; nil: it is gone or paused or cannot be read, and keeps all.
        init?(_ id: String, _ session: CatalogSession) throws {
            guard let (record, plan) = try Self.record(id, session) else { return nil }
            policy = id
            account = record.account
            isEnabled = record.isEnabled
            isEnding = record.isDeleted
            self.plan = plan
            retentions = plan.schedules.map {
                Rule(
                    schedule: $0.name, retention: $0.retention, zone: $0.when.zone, archive: $0.archive,
                    deprecation: $0.deprecation)
            }
            standings = nil
        }

        /// Of its copies in another region.
        ///
        /// - Parameter session: of the policy's region.
        init?(_ id: String, copiesTo region: String, _ targets: Set<String>, _ session: CatalogSession) throws {
            guard let (record, plan) = try Self.record(id, session) else { return nil }
            policy = id
            account = record.account
            isEnabled = record.isEnabled
            isEnding = record.isDeleted
            self.plan = plan
            let ofSchedules = plan.schedules.flatMap { schedule in
                schedule.copies.filter { $0.region == region }.map {
                    Rule(schedule: schedule.name, retention: $0.retention, zone: schedule.when.zone)
                }
            }
            let ofReaction = (plan.reaction?.copies ?? []).filter { $0.region == region }.map {
                Rule(schedule: PolicyPlan.Reaction.mark, retention: $0.retention, zone: .utc)
            }
            retentions = ofSchedules + ofReaction
            let known = PolicyTargets(session: session, account: record.account, targets: plan.targets)
            standings = Dictionary(
                uniqueKeysWithValues: try targets.map {
                    ($0, plan.reaction == nil ? try known.standing(of: $0) : .managed)
                })
        }

        /// An enabled one, or one that lets all go in any case.
        private static func record(
            _ id: String, _ session: CatalogSession
        ) throws -> (PolicyRecord, PolicyPlan)? {
            guard let record = try session.policy(id) ?? session.endingPolicy(id),
                let plan = PolicyPlan.readable(record.plan), record.isEnabled || plan.letsAllGo
            else { return nil }
            return (record, plan)
        }

        var isOfCopies: Bool { standings != nil }

        /// - Parameter session: of the region whose snapshots are meant.
        func surplus(at now: WallTime, _ session: CatalogSession) throws -> Surplus {
            let targets = PolicyTargets(session: session, account: account, targets: plan.targets)
            var surplus = Surplus()
            for members in Dictionary(grouping: try self.members(session), by: \.group).values {
                guard let target = members.first?.target else { continue }
                let standing = try standings.map { $0[target] ?? .unmanaged } ?? targets.standing(of: target)
                if standing == .unmanaged { continue }
                add(members, standing, at: now, to: &surplus)
            }
            return surplus
        }

        /// What was made of one thing: what is not in the archive by its schedules' retentions, and what is by their archives'.
        private func add(
            _ members: [Member], _ standing: PolicyTargets.Standing, at now: WallTime, to surplus: inout Surplus
        ) {
            let present = members.filter { !$0.isArchived }
            // Others may have the last of what its account shared: each of these copies goes when its time is over.
            let letsLast = plan.reaction != nil || plan.letsAllGo && (standing == .gone || !isEnabled)
            let gone = Self.letGo(
                present,
                retentions.map { rule in
                    // What goes into the archive is not lost, so also the last one may.
                    (rule: rule, retention: rule.retention, keepsLast: !letsLast && rule.archive == nil)
                }, isGone: standing == .gone, at: now)
            // Nor does what ends put away: it would not end.
            let archiving = Set(retentions.filter { $0.archive != nil && !isEnding }.map(\.schedule))
            surplus.toArchive += gone.ids.filter { id in
                present.contains {
                    $0.kept.id == id && $0.kept.state == .completed && !archiving.isDisjoint(with: $0.schedules)
                }
            }
            surplus.ids += gone.ids.filter { !surplus.toArchive.contains($0) }
            if let time = gone.again { surplus.look(at: time) }

            let rest = Self.letGo(
                members.filter(\.isArchived),
                retentions.compactMap { rule in
                    rule.archive.map { (rule: rule, retention: $0, keepsLast: present.isEmpty && !isEnding) }
                }, isGone: standing == .gone, at: now)
            surplus.ids += rest.ids
            if let time = rest.again { surplus.look(at: time) }
            surplus.toDeprecate += deprecated(of: present, except: Set(surplus.ids))
        }

        /// What several schedules took together goes when all of them that are still there let it go.
        private static func letGo(
            _ members: [Member], _ rules: [(rule: Rule, retention: Retention, keepsLast: Bool)], isGone: Bool,
            at now: WallTime
        ) -> Surplus {
            let damaged = Set(members.filter(\.isDamaged).map(\.kept.id))
            var surplus = Surplus()
            var keeping: [String: Int] = [:]
            for (rule, retention, keepsLast) in rules {
                let own = members.filter { $0.schedules.contains(rule.schedule) }.map(\.kept)
                    .sorted { ($0.takenAt, $0.id) < ($1.takenAt, $1.id) }
                for one in own { keeping[one.id, default: 0] += 1 }
                let found = Self.surplus(of: own, damaged) {
                    retention.surplus(
                        of: $0, at: now, in: rule.zone, isTargetGone: isGone, keepsLast: keepsLast)
                }
                for id in found.ids { keeping[id, default: 0] -= 1 }
                if let time = found.again { surplus.look(at: time) }
            }
            surplus.ids = members.map(\.kept.id).filter { keeping[$0] == 0 }
            return surplus
        }

        /// One schedule's of one volume. What is damaged replaces nothing, and goes when it would go in any case; where all
        /// are, all stay.
        private static func surplus(
            of all: [Retention.Kept], _ damaged: Set<String>,
            _ ask: ([Retention.Kept]) -> (surplus: [String], again: WallTime?)
        ) -> Surplus {
            let whole = all.filter { !damaged.contains($0.id) }
            var (ids, again) = ask(whole)
            if whole.count < all.count, !whole.isEmpty {
                let beside = ask(all)
                ids += beside.surplus.filter(damaged.contains)
                again = [again, beside.again].compactMap { $0 }.min()
            }
            return Surplus(ids: Array(Set(ids)), again: again)
        }

        /// Images beyond those that all their schedules do not deprecate, by count, and that the policy has not deprecated before.
        private func deprecated(of members: [Member], except ids: Set<String>) -> [String] {
            guard plan.product == .images, standings == nil else { return [] }
            var keeping: [String: Int] = [:]
            for rule in retentions {
                let own = members.filter { $0.schedules.contains(rule.schedule) && $0.kept.state == .completed }
                    .sorted { ($0.kept.takenAt, $0.kept.id) < ($1.kept.takenAt, $1.kept.id) }
                for one in own { keeping[one.kept.id, default: 0] += 1 }
                guard case .newest(let count)? = rule.deprecation else { continue }
                for one in own.dropLast(count) { keeping[one.kept.id, default: 0] -= 1 }
            }
            return members.filter { keeping[$0.kept.id] == 0 && !$0.isDeprecated && !ids.contains($0.kept.id) }
                .map(\.kept.id)
        }
    }

    /// Something that a policy made, as its rules see it.
    struct Member: Sendable {
        /// What is counted together.
        let group: [String]
        let target: String
        let schedules: [String]
        let kept: Retention.Kept
        let isDamaged: Bool
        var isArchived = false
        var isDeprecated = false
    }
}

extension LetGo.Rules {
    /// What the policy made in one region and manages.
    private func members(_ session: CatalogSession) throws -> [LetGo.Member] {
        switch plan.product {
        case .snapshots: try snapshots(session)
        case .images: try images(session)
        }
    }

    private func snapshots(_ session: CatalogSession) throws -> [LetGo.Member] {
        try session.policySnapshots(ofPolicy: policy).compactMap { made, snapshot in
            // Copies that failed are seen to by ``CopyTaken``, as long as any are owed.
            if isOfCopies, !isEnding, snapshot.state == .error { return nil }
            if Self.isOwners(made, snapshot) { return nil }
            var member = LetGo.Member(
                group: [made.volumeID, made.targetID], target: made.targetID, schedules: made.schedules,
                kept: kept(Retention.Kept(made, snapshot)),
                isDamaged: try !isEnding && session.damage(of: snapshot.id) != nil)
            member.isArchived = made.archivedAt != nil
            return member
        }
    }

    /// What its owner put into the archive, or took out of it for good, is no more the policy's. The mark says so since a version
    /// that released it in the same transaction; of what was done before, the tier tells.
    static func isOwners(_ made: PolicySnapshotRecord, _ snapshot: SnapshotRecord) -> Bool {
        guard let tier = snapshot.tier else { return false }
        return made.archivedAt == nil || tier.operation == .permanentRestore
    }

    /// Nothing will replace what failed or is damaged of a policy that ends: it goes by its age, as the rest does.
    private func kept(_ kept: Retention.Kept) -> Retention.Kept {
        guard isEnding, kept.state == .failed else { return kept }
        var kept = kept
        kept.state = .completed
        return kept
    }

    private func images(_ session: CatalogSession) throws -> [LetGo.Member] {
        try session.policyImages(ofPolicy: policy).compactMap { made, image in
            if isOfCopies, !isEnding, image.state == .failed { return nil }
            let isDamaged = try session.disks(ofImage: image.id).compactMap(\.snapshotID).contains {
                try session.damage(of: $0) != nil
            }
            var member = LetGo.Member(
                group: [made.instanceID], target: made.instanceID, schedules: made.schedules,
                kept: kept(Retention.Kept(made, image)), isDamaged: !isEnding && isDamaged)
            member.isDeprecated = made.isDeprecated
            return member
        }
    }
}

extension Retention.Kept {
    init(_ made: PolicySnapshotRecord, _ snapshot: SnapshotRecord) {
        let state: State =
            switch snapshot.state {
            case .creating, .pending: .pending
            case .completed: .completed
            case .error: .failed
            }
        self.init(
            id: snapshot.id, takenAt: made.cutAt ?? snapshot.createdAt, state: state,
            expiresAt: made.archivedAt == nil ? made.expiresAt : nil, begunAt: made.archivedAt ?? snapshot.createdAt)
    }

    init(_ made: PolicyImageRecord, _ image: ImageRecord) {
        let state: State =
            switch image.state {
            case .pending: .pending
            case .available: .completed
            case .failed, .deregistered: .failed
            }
        self.init(
            id: image.id, takenAt: made.cutAt ?? image.createdAt, state: state, expiresAt: made.expiresAt,
            begunAt: image.createdAt)
    }
}
