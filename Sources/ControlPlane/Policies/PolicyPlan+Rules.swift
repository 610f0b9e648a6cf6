internal import Blocks
internal import Catalog
internal import FoundationEssentials

extension PolicyPlan {
    private static let targetTagsMax = 50
    private static let targetsMax = 1000
    static let tagsMax = 45
    static let copiesMax = 3
    private static let namingMax = 64

    /// Refuses what no policy may be. Whose the targets are is not asked here.
    func check(at now: WallTime) throws {
        try Limits.check(name: name, .policy)
        try Limits.check(description: description, .policy)
        try Limits.check(name: naming, .policy)
        if let naming, naming.unicodeScalars.count > Self.namingMax {
            throw Self.refusal(
                "names that begin with \(naming.quotable): at most \(Self.namingMax) characters are allowed")
        }
        if let reaction { return try check(reaction) }
        guard targets.mayBeNone || targets.lacking != nil || !targets.tags.isEmpty || !targets.ids.isEmpty else {
            throw Self.refusal("the policy has no targets: give tags or ids")
        }
        guard targets.tags.count <= Self.targetTagsMax, targets.excludedTags.count <= Self.targetTagsMax,
            targets.ids.count <= Self.targetsMax
        else {
            throw Self.refusal("at most \(Self.targetTagsMax) tags and \(Self.targetsMax) ids are allowed as targets")
        }
        for tag in targets.tags + targets.excludedTags { try TagRules.check([tag.key: tag.value]) }
        guard targets.kind == .instances || !targets.excludesBootVolume && targets.excludedTags.isEmpty else {
            throw Self.refusal("only a policy on instances leaves out some of their volumes")
        }
        guard (1...Limits.schedulesMax).contains(schedules.count) else {
            throw Self.refusal("\(schedules.count) schedules: 1 to \(Limits.schedulesMax) are allowed")
        }
        guard Set(schedules.map(\.name)).count == schedules.count else {
            throw Self.refusal("two schedules have the same name")
        }
        try checkKind()
        try checkEnd()
        for schedule in schedules {
            try Limits.check(name: schedule.name, .policy)
            try check(dutiesOf: schedule, at: now)
            try TagRules.check(schedule.tags)
            guard schedule.tags.count <= Self.tagsMax else {
                throw Self.refusal(
                    "the schedule \(schedule.name) adds \(schedule.tags.count) tags: at most \(Self.tagsMax) are allowed"
                )
            }
            try schedule.when.check(at: now)
            try schedule.retention.check(least: schedule.archive == nil ? 1 : 0)
            guard schedule.copies.count <= Self.copiesMax,
                Set(schedule.copies.map(\.region)).count == schedule.copies.count
            else {
                throw Self.refusal(
                    "the schedule \(schedule.name) copies to \(Self.copiesMax) regions at most, and to each once")
            }
            for copy in schedule.copies { try copy.retention.check() }
        }
    }

    /// The regions that anything is copied to.
    var regions: Set<String> { Set((schedules.flatMap(\.copies) + (reaction?.copies ?? [])).map(\.region)) }

    /// How some of its schedules copy to a region, by the schedules' names.
    func copies(to region: String, of names: [String]) -> [(schedule: String, copy: Copy)] {
        if let reaction { return reaction.copies.filter { $0.region == region }.map { (Reaction.mark, $0) } }
        return schedules.filter { names.contains($0.name) }.flatMap { schedule in
            schedule.copies.filter { $0.region == region }.map { (schedule.name, $0) }
        }
    }

    static func refusal(_ text: String) -> ServiceError { ServiceError(.invalid, .policy, text) }

    /// The tags of what several schedules take together, as far as there is room: the first one's count before the next one's.
    ///
    /// - Parameters:
    ///   - target: what is backed up.
    ///   - due: when, in milliseconds.
    static func tags(of schedules: [Schedule], for target: String, at due: Int64) -> [String: String] {
        var tags: [String: String] = [:]
        for schedule in schedules {
            let variable = schedule.variableTags.mapValues { tag in
                switch tag {
                case .instance: target
                case .time: String(WallTime(milliseconds: due).description.prefix(19)) + "Z"
                }
            }
            for (key, value) in schedule.tags.merging(variable, uniquingKeysWith: { own, _ in own })
                .sorted(by: { $0.key < $1.key })
            where tags[key] == nil && tags.count < tagsMax { tags[key] = value }
        }
        return tags
    }

    /// What the snapshots of a run are called.
    func snapshotName(at due: WallTime) -> String {
        guard let naming else { return "auto-\(due.description.prefix(16))Z" }
        let zone = schedules.first?.when.zone ?? .utc
        let local = (due + .seconds(zone.minutes * 60)).description
        return "\(naming)-" + local.prefix(16).filter(\.isNumber)
    }

    // MARK: As the catalog keeps it

    init(text: String) throws {
        do { self = try JSONDecoder().decode(PolicyPlan.self, from: Data(text.utf8)) } catch {
            throw ServiceError(.corrupt, .policy, "the policy's record cannot be read", cause: error)
        }
    }

    /// Nil: this version cannot read it, as of a newer one.
    static func readable(_ text: String) -> PolicyPlan? { try? PolicyPlan(text: text) }

    /// The problem of a policy whose plan cannot be read.
    static let unreadable = "its plan cannot be read by this version"

    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
