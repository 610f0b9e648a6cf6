internal import ArgumentParser
internal import ControlPlane

/// What a policy does, as options say it.
struct PolicyOptions: ParsableArguments {
    @Option(help: "Its name.") var name: String?
    @Option(
        name: .customLong("volume"), help: ArgumentHelp("A volume to take snapshots of; repeatable.", valueName: "id"))
    var volumes: [String] = []
    @Option(
        name: .customLong("instance"),
        help: ArgumentHelp("An instance whose volumes are cut at one instant; repeatable.", valueName: "id"))
    var instances: [String] = []
    @Option(name: .customLong("tag"), help: ArgumentHelp("What has this tag, too; repeatable.", valueName: "key=value"))
    var tags: [String] = []
    @Flag(help: "--tag means instances, not volumes.") var taggedInstances = false
    @Option(help: "The schedule's name.") var schedule = "main"
    @Option(help: ArgumentHelp("Every 1, 2, 3, 4, 6, 8, 12 or 24 hours.", valueName: "hours")) var every: Int?
    @Option(help: ArgumentHelp("Days of the week: monday,friday.", valueName: "days")) var weekly: String?
    @Option(help: ArgumentHelp("Times of day: 03:00 or, with --weekly, 03:00,15:00.", valueName: "times")) var at =
        "00:00"
    @Option(help: ArgumentHelp("For --weekly and --cron: UTC or +08:00.", valueName: "offset")) var zone = "UTC"
    @Option(help: ArgumentHelp("As Amazon writes it: 'cron(0 3 L * ? *)'.", valueName: "expression")) var cron: String?
    @Option(help: ArgumentHelp("Keep so many of each volume.", valueName: "count")) var keep: Int?
    @Option(help: ArgumentHelp("Keep each so long: 30d, 8w, 12m, 2y.", valueName: "span")) var keepFor: String?
    @Option(help: ArgumentHelp("Keep daily=7,weekly=4,monthly=12,yearly=3; also hourly.", valueName: "counts"))
    var keepGenerations: String?
    @Flag(help: "Give each snapshot its volume's tags.") var copyTags = false
    @Option(help: ArgumentHelp("Copy each to this region, with its tags; repeatable.", valueName: "region"))
    var copyTo: [String] = []
    @Option(help: ArgumentHelp("Keep so many copies of each volume.", valueName: "count")) var copyKeep: Int?
    @Option(help: ArgumentHelp("Keep each copy so long: 30d, 8w, 12m, 2y.", valueName: "span")) var copyKeepFor: String?
    @Flag(help: "Encrypt the copies.") var copyEncrypted = false
    @Flag(help: "Make an image of each instance, not snapshots.") var images = false
    @Option(help: ArgumentHelp("Of images: deprecate all but so many of the newest.", valueName: "count"))
    var deprecateBut: Int?
    @Option(help: ArgumentHelp("Whatever has no backup of so many days, instead of tags and ids.", valueName: "days"))
    var lackingFor: Int?
    @Option(help: ArgumentHelp("Share each with this account; repeatable.", valueName: "account"))
    var shareWith: [String] = []
    @Option(help: ArgumentHelp("Share it so long: 30d, 8w, 12m, 2y.", valueName: "span")) var shareFor: String?
    @Option(help: ArgumentHelp("Restore fast in this zone; repeatable.", valueName: "zone"))
    var restoreFastIn: [String] = []
    @Option(help: ArgumentHelp("Restore so many of each volume's newest fast: 1, if not said.", valueName: "count"))
    var restoreFast: Int?
    @Option(help: ArgumentHelp("Put what is not kept into the archive, so many of each volume.", valueName: "count"))
    var archive: Int?
    @Option(
        help: ArgumentHelp("Put what is not kept into the archive, for so long: 90d, 13w, 6m, 2y.", valueName: "span"))
    var archiveFor: String?

    @OptionGroup var quiescing: QuiesceOptions

    /// The plan that the options say.
    func plan() throws -> PolicyPlan {
        let kind: PolicyPlan.Targets.Kind = taggedInstances || !instances.isEmpty ? .instances : .volumes
        guard volumes.isEmpty || kind == .volumes else {
            throw CommandFailure.usage("a policy is on volumes or on instances, not on both")
        }
        var targets = PolicyPlan.Targets(
            images ? .instances : kind, tags: try tags.map(Self.tag), ids: volumes + instances)
        targets.lacking = lackingFor.map { PolicyPlan.Lacking(days: $0) }
        var schedule = PolicyPlan.Schedule(
            self.schedule, try recurrence(), keeping: try retention(), copiesTags: copyTags, copies: try copies())
        try addDuties(to: &schedule)
        var plan = PolicyPlan(name: name, targets: targets, schedules: [schedule])
        plan.product = images ? .images : .snapshots
        return plan
    }

    private func addDuties(to schedule: inout PolicyPlan.Schedule) throws {
        guard !shareWith.isEmpty || shareFor == nil else {
            throw CommandFailure.usage("say whom to share with, with --share-with")
        }
        if !shareWith.isEmpty {
            schedule.sharing = PolicyPlan.Sharing(
                with: shareWith, keeping: try shareFor.map(Self.age) ?? .forever)
        }
        guard !restoreFastIn.isEmpty || restoreFast == nil else {
            throw CommandFailure.usage("say where to restore fast, with --restore-fast-in")
        }
        if !restoreFastIn.isEmpty {
            schedule.fastRestore = PolicyPlan.FastRestore(in: restoreFastIn, keeping: .newest(count: restoreFast ?? 1))
        }
        guard archive == nil || archiveFor == nil else {
            throw CommandFailure.usage("say what the archive keeps with --archive or --archive-for")
        }
        schedule.archive = try archive.map { Retention.newest(count: $0) } ?? archiveFor.map(Self.age)
        schedule.quiesce = try quiescing.quiesce
        schedule.deprecation = deprecateBut.map { Retention.newest(count: $0) }
    }

    private static func tag(_ text: String) throws -> PolicyPlan.Tag {
        let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard sides.count == 2, !sides[0].isEmpty else { throw CommandFailure.usage("'\(text)' is not key=value") }
        return PolicyPlan.Tag(key: sides[0], value: sides[1])
    }

    private func recurrence() throws -> Recurrence {
        guard let zone = ZoneOffset(self.zone) else {
            throw CommandFailure.usage("'\(self.zone)' is not UTC or +08:00")
        }
        let times = try at.split(separator: ",").map { text in
            guard let time = TimeOfDay(String(text)) else {
                throw CommandFailure.usage("'\(text)' is not a time as 03:00")
            }
            return time
        }
        switch (every, weekly, cron) {
        case (let hours?, nil, nil):
            guard let start = times.first, times.count == 1 else {
                throw CommandFailure.usage("--every takes one time in --at")
            }
            return .every(hours: hours, from: start)
        case (nil, let days?, nil):
            let weekdays = try days.split(separator: ",").map { text in
                guard let day = Weekday(rawValue: text.lowercased()) else {
                    throw CommandFailure.usage("'\(text)' is not a day as monday")
                }
                return day
            }
            return .weekly(days: weekdays, at: times, zone: zone)
        case (nil, nil, let expression?): return .cron(expression: expression, zone: zone)
        default: throw CommandFailure.usage("say when, with one of --every, --weekly and --cron")
        }
    }

    private func copies() throws -> [PolicyPlan.Copy] {
        guard !copyTo.isEmpty || copyKeep == nil && copyKeepFor == nil && !copyEncrypted else {
            throw CommandFailure.usage("say where to copy to, with --copy-to")
        }
        let retention: Retention
        switch (copyKeep, copyKeepFor) {
        case (nil, nil): retention = .forever
        case (let count?, nil): retention = .newest(count: count)
        case (nil, let span?): retention = try Self.age(span)
        default: throw CommandFailure.usage("say how long copies are kept with --copy-keep or --copy-keep-for")
        }
        return copyTo.map { PolicyPlan.Copy(to: $0, keeping: retention, isEncrypted: copyEncrypted, copiesTags: true) }
    }

    private static func age(_ span: String) throws -> Retention {
        let units: [Character: Retention.Unit] = ["d": .days, "w": .weeks, "m": .months, "y": .years]
        guard let last = span.last, let unit = units[last], let amount = Int(span.dropLast()) else {
            throw CommandFailure.usage("'\(span)' is not a span as 30d, 8w, 12m or 2y")
        }
        return .age(amount: amount, unit: unit)
    }

    private func retention() throws -> Retention {
        switch (keep, keepFor, keepGenerations) {
        case (nil, nil, nil): return .forever
        case (let count?, nil, nil): return .newest(count: count)
        case (nil, let span?, nil): return try Self.age(span)
        case (nil, nil, let text?):
            var counts: [String: Int] = [:]
            for part in text.split(separator: ",") {
                let sides = part.split(separator: "=").map(String.init)
                guard sides.count == 2, let count = Int(sides[1]),
                    ["hourly", "daily", "weekly", "monthly", "yearly"].contains(sides[0])
                else { throw CommandFailure.usage("'\(part)' is not a count as daily=7") }
                counts[sides[0]] = count
            }
            return .generations(
                hourly: counts["hourly"], daily: counts["daily"], weekly: counts["weekly"], monthly: counts["monthly"],
                yearly: counts["yearly"])
        default: throw CommandFailure.usage("say how long with one of --keep, --keep-for and --keep-generations")
        }
    }
}

extension Recurrence {
    /// When, in words.
    var sentence: String {
        switch self {
        case .every(let hours, let start): "every \(hours) h from \(start.text) UTC"
        case .weekly(let days, let times, let zone):
            "\(days.map(\.rawValue).joined(separator: ", ")) at \(times.map(\.text).joined(separator: ", ")) "
                + (zone ?? .utc).text
        case .cron(let expression, let zone): "\(expression) \((zone ?? .utc).text)"
        }
    }
}

extension Retention {
    /// How long, in words.
    var sentence: String {
        switch self {
        case .newest(let count): return "the newest \(count)"
        case .age(let amount, let unit): return "\(amount) \(unit.rawValue)"
        case .forever: return "for ever"
        case .generations(let hourly, let daily, let weekly, let monthly, let yearly):
            let names = ["hourly", "daily", "weekly", "monthly", "yearly"]
            return zip(names, [hourly, daily, weekly, monthly, yearly])
                .compactMap { name, count in count.map { "\($0) \(name)" } }.joined(separator: ", ")
        }
    }
}
