internal import Blocks
internal import Catalog
internal import FoundationEssentials

extension PolicyPlan {
    private static let targetTagsMax = 50
    private static let targetsMax = 1000
    private static let tagsMax = 45

    /// Refuses what no policy may be. Whose the targets are is not asked here.
    func check(at now: WallTime) throws {
        try Limits.check(name: name, .policy)
        try Limits.check(description: description, .policy)
        guard !targets.tags.isEmpty || !targets.ids.isEmpty else {
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
        for schedule in schedules {
            try Limits.check(name: schedule.name, .policy)
            try TagRules.check(schedule.tags)
            guard schedule.tags.count <= Self.tagsMax else {
                throw Self.refusal(
                    "the schedule \(schedule.name) adds \(schedule.tags.count) tags: at most \(Self.tagsMax) are allowed"
                )
            }
            try schedule.when.check(at: now)
            try schedule.retention.check()
        }
    }

    private static func refusal(_ text: String) -> ServiceError { ServiceError(.invalid, .policy, text) }

    /// Of several schedules that run together, the one that keeps longest: what they take is kept by that.
    func keeper(of names: [String], at now: WallTime) -> Schedule? {
        schedules.filter { names.contains($0.name) }
            .map { (schedule: $0, reach: $0.retention.reach($0.when.period(at: now))) }
            .reduce(nil) { (best: (schedule: Schedule, reach: Duration)?, one) in
                if let best, best.reach >= one.reach { return best }
                return one
            }?.schedule
    }

    // MARK: As the catalog keeps it

    init(text: String) throws {
        do { self = try JSONDecoder().decode(PolicyPlan.self, from: Data(text.utf8)) } catch {
            throw ServiceError(.corrupt, .policy, "the policy's record cannot be read", cause: error)
        }
    }

    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
