internal import Blocks
internal import Catalog

/// What of a plan's duties fits together.
extension PolicyPlan {
    private static let zonesMax = 10
    private static let ownersMax = 50
    private static let lackingDays = 1...7
    private static let day = Duration.seconds(86_400)
    /// What goes into the archive comes so rarely, and stays there so long.
    private static let archiveEveryDays = 28
    private static let archiveDays = 90
    private static let deprecationYearsMax = 10

    /// Refuses what goes with no policy of its kind.
    func checkKind() throws {
        guard product == .snapshots || naming == nil else {
            throw Self.refusal("names of snapshots are for policies that take some, not for images")
        }
        if product == .images {
            guard targets.kind == .instances else { throw Self.refusal("images are made of instances, not of volumes") }
            guard !targets.excludesBootVolume, targets.excludedTags.isEmpty else {
                throw Self.refusal("an image has all disks of its instance: leave none out")
            }
        }
        guard let lacking = targets.lacking else { return }
        guard targets.tags.isEmpty, targets.ids.isEmpty else {
            throw Self.refusal("a policy on what lacks a backup has neither tags nor ids as targets")
        }
        guard Self.lackingDays.contains(lacking.days) else {
            throw Self.refusal(
                "a recent backup of \(lacking.days) days: \(Self.lackingDays.lowerBound) to "
                    + "\(Self.lackingDays.upperBound) are allowed")
        }
        guard lacking.excludedTags.count <= Self.ownersMax, lacking.excludedKinds.count <= Self.ownersMax else {
            throw Self.refusal("at most \(Self.ownersMax) tags and kinds are excluded")
        }
        for tag in lacking.excludedTags { try TagRules.check([tag.key: tag.value]) }
        for kind in lacking.excludedKinds { try Limits.check(name: kind, .policy) }
        guard targets.kind == .volumes || !lacking.excludesBootVolumes && lacking.excludedKinds.isEmpty else {
            throw Self.refusal("instances are excluded by their tags, not by their volumes")
        }
    }

    /// What is to go in the end, whatever becomes of its policy, needs a time: a count says nothing once no more comes, and a
    /// policy that its owner deleted would never end.
    func checkEnd() throws {
        guard letsAllGo else { return }
        let all =
            schedules.flatMap { [$0.retention, $0.archive].compactMap { $0 } + $0.copies.map(\.retention) }
            + (reaction?.copies ?? []).map(\.retention)
        for retention in all {
            guard case .age = retention else {
                throw Self.refusal("a policy that lets all go keeps everything, copies too, by its age")
            }
        }
    }

    /// Refuses what goes with no schedule of its policy.
    func check(dutiesOf schedule: Schedule, at now: WallTime) throws {
        let name = schedule.name
        if let quiesce = schedule.quiesce {
            try quiesce.check(.policy)
            guard product == .snapshots else { throw Self.refusal("hosts come to rest for snapshots, not for images") }
        }
        try TagRules.check(schedule.variableTags.mapValues(\.rawValue))
        guard schedule.variableTags.isEmpty || targets.kind == .instances else {
            throw Self.refusal("the schedule \(name) has variable tags, which only what is taken of instances has")
        }
        guard schedule.tags.count + schedule.variableTags.count <= Self.tagsMax else {
            throw Self.refusal("the schedule \(name) adds more than \(Self.tagsMax) tags")
        }
        guard product == .snapshots || schedule.sharing == nil && schedule.fastRestore == nil else {
            throw Self.refusal("the schedule \(name) shares or restores fast, which is for snapshots, not images")
        }
        guard product == .snapshots || !schedule.hasInstantAccess else {
            throw Self.refusal("the schedule \(name) gives instant access, which is for snapshots, not images")
        }
        guard product == .images || schedule.deprecation == nil && schedule.copies.allSatisfy({ $0.deprecation == nil })
        else {
            throw Self.refusal("the schedule \(name) deprecates, which is for images, not snapshots")
        }
        if let sharing = schedule.sharing {
            guard (1...Limits.sharesMax).contains(sharing.accounts.count) else {
                throw Self.refusal("the schedule \(name) shares with 1 to \(Limits.sharesMax) accounts")
            }
            for account in sharing.accounts { try SnapshotService.check(account) }
            try Self.check(sharing.retention, countsToo: false, for: "sharing", name)
        }
        if let fast = schedule.fastRestore {
            guard (1...Self.zonesMax).contains(fast.zones.count) else {
                throw Self.refusal("the schedule \(name) restores fast in 1 to \(Self.zonesMax) zones")
            }
            try Self.check(fast.retention, for: "fast restores", name)
        }
        try check(archiveOf: schedule, at: now)
        if let deprecation = schedule.deprecation {
            try Self.check(deprecation, least: 0, for: "deprecation", name)
            try Self.check(deprecation, within: schedule.retention, at: now, name)
        }
        for copy in schedule.copies {
            guard let deprecation = copy.deprecation else { continue }
            try Self.check(deprecation, countsToo: false, for: "the deprecation of copies", name)
            try Self.check(deprecation, within: copy.retention, at: now, name)
        }
    }

    /// Refuses a deprecation that would come after the end, or in more than ten years.
    private static func check(
        _ deprecation: Retention, within retention: Retention, at now: WallTime, _ name: String
    ) throws {
        switch (deprecation, retention) {
        case (.newest(let count), .newest(let kept)) where count > kept:
            throw refusal("the schedule \(name) deprecates what it does not keep")
        case (.age, _):
            guard let time = deprecation.expiry(of: now), time <= now + day * (deprecationYearsMax * 366) else {
                throw refusal("the schedule \(name) deprecates after \(deprecationYearsMax) years at most")
            }
            guard retention.expiry(of: now).map({ time <= $0 }) ?? true else {
                throw refusal("the schedule \(name) deprecates what it does not keep")
            }
        case (.newest, _), (.generations, _), (.forever, _): return
        }
    }

    private func check(archiveOf schedule: Schedule, at now: WallTime) throws {
        guard let archive = schedule.archive else { return }
        let name = schedule.name
        guard product == .snapshots, targets.kind == .volumes else {
            throw Self.refusal("the schedule \(name) archives, which is for snapshots of volumes")
        }
        try Self.check(archive, for: "the archive", name)
        // Two times are enough: what comes at least so rarely is looked at once a year at most.
        guard let first = schedule.when.next(after: now) else { return }
        let next = schedule.when.next(after: first) ?? first + Self.day * 366
        let days = Int((next - first).components.seconds / 86_400)
        guard days >= Self.archiveEveryDays else {
            throw Self.refusal(
                "the schedule \(name) archives and comes every \(days) days: \(Self.archiveEveryDays) or more are needed"
            )
        }
        switch (archive, schedule.retention) {
        case (.newest(let count), .newest):
            guard count * days >= Self.archiveDays else {
                throw Self.refusal(
                    "the schedule \(name) keeps \(count) in the archive, for less than \(Self.archiveDays) days each")
            }
        case (.age, .age):
            guard let end = archive.expiry(of: now), end >= now + Self.day * Self.archiveDays else {
                throw Self.refusal("the schedule \(name) keeps for less than \(Self.archiveDays) days in the archive")
            }
        case (.newest, _), (.age, _), (.generations, _), (.forever, _):
            throw Self.refusal("the schedule \(name) counts before the archive and in it in different ways")
        }
    }

    /// By age, by count where that means something, or where there is no end, for ever.
    private static func check(
        _ retention: Retention, least: Int = 1, countsToo: Bool = true, for what: String, _ name: String
    ) throws {
        try retention.check(least: least)
        switch retention {
        case .age: return
        case .newest where countsToo: return
        case .forever where !countsToo: return
        case .newest, .generations, .forever:
            throw refusal("the schedule \(name) settles \(what) by an age\(countsToo ? " or a count" : "")")
        }
    }

    /// Refuses what cannot be a policy on what others share.
    func check(_ reaction: Reaction) throws {
        guard targets == Targets(.volumes), schedules.isEmpty, product == .snapshots else {
            throw Self.refusal("a policy on what others share has neither targets nor schedules")
        }
        guard (1...Self.ownersMax).contains(reaction.owners.count) else {
            throw Self.refusal("1 to \(Self.ownersMax) accounts that share are named")
        }
        for owner in reaction.owners { try SnapshotService.check(owner) }
        try checkEnd()
        _ = try Pattern(reaction.description)
        guard (1...Self.copiesMax).contains(reaction.copies.count),
            Set(reaction.copies.map(\.region)).count == reaction.copies.count
        else { throw Self.refusal("what others share is copied to 1 to \(Self.copiesMax) regions, to each once") }
        for copy in reaction.copies {
            try Self.check(copy.retention, countsToo: false, for: "the copies", Reaction.mark)
            guard copy.deprecation == nil else { throw Self.refusal("copies of snapshots are not deprecated") }
        }
    }
}

extension PolicyPlan.Reaction {
    /// What stands in place of a schedule's name.
    static let mark = "shared"
}
