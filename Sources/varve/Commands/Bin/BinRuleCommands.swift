internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve bin rules ...`
struct BinRuleCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "Make, list, change, lock and delete the rules of the bin.",
        subcommands: [
            BinRuleCreate.self, BinRuleList.self, BinRuleModify.self, BinRuleLock.self, BinRuleUnlock.self,
            BinRuleDelete.self,
        ])
}

/// Tags as they are written in a rule's options: `KEY` or `KEY=VALUE`.
enum BinTagText {
    static func tag(_ text: String) -> BinTag {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return BinTag(key: parts[0], value: parts.count > 1 ? parts[1] : nil)
    }
    static func text(_ tag: BinTag) -> String { tag.value.map { "\(tag.key)=\($0)" } ?? tag.key }
}

/// `varve bin rules create`
struct BinRuleCreate: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Keep what is deleted from now on for some days, and print the rule's id.",
        discussion: """
            Without --tag, for everything of its type but what has a tag to --exclude. The longest rule that holds for
            something counts. --unlock-days locks the rule: it can be changed so many days after its unlocking.

            Examples:
              varve bin rules create snapshot --days 14
              varve bin rules create volume --days 90 --tag class=gold
              varve bin rules create snapshot --days 30 --unlock-days 7
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "snapshot, volume or image.") var type: String
    @Option(help: "For how many days, 1 to 3650.") var days: Int
    @Option(help: "What it is for, at most 255 characters.") var description: String?
    @Option(help: "Only for what has this tag, KEY or KEY=VALUE; may be repeated.") var tag: [String] = []
    @Option(help: "Not for what has this tag, KEY or KEY=VALUE; may be repeated.") var exclude: [String] = []
    @Option(help: "Lock it: 7 to 30 days pass from its unlocking until it can be changed.") var unlockDays: Int?

    func validate() throws {
        guard BinRuleView.ResourceType(rawValue: type) != nil else {
            let known = BinRuleView.ResourceType.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("The type '\(type)' is not one of \(known).")
        }
    }

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = ["resourceType": .text(type), "days": .number(days)]
        if let description { fields["description"] = .text(description) }
        if !tag.isEmpty { fields["resourceTags"] = .value(tag.map(BinTagText.tag)) }
        if !exclude.isEmpty { fields["excludeTags"] = .value(exclude.map(BinTagText.tag)) }
        if let unlockDays { fields["unlockDelayDays"] = .number(unlockDays) }
        let rule: BinRuleView = try await client.call("POST", "/bin-rules", fields)
        Output.line(rule.id)
    }
}

/// `varve bin rules list`
struct BinRuleList: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the rules of the bin.",
        discussion: """
            Example:
              varve bin rules list
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions

    private struct Answer: Decodable {
        let rules: [BinRuleView]
    }

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("GET", "/bin-rules")
        if format.output == .json { return Output.json(bytes) }
        var table = Table("ID", "TYPE", ">DAYS", "FOR", "NOT FOR", "LOCK", "DESCRIPTION")
        for rule in (try NativeClient.read(bytes) as Answer).rules {
            let lock =
                switch rule.lockState {
                case .unlocked: ""
                case .locked: "locked"
                case .pendingUnlock: "until \(rule.unlocksAt.map(LocalTime.text) ?? "")"
                }
            table.add(
                rule.id, rule.resourceType.rawValue, String(rule.days),
                rule.resourceTags.isEmpty ? "all" : rule.resourceTags.map(BinTagText.text).joined(separator: ", "),
                rule.excludeTags.map(BinTagText.text).joined(separator: ", "), lock, rule.description ?? "")
        }
        table.lines.forEach(Output.line)
    }
}

/// `varve bin rules modify`
struct BinRuleModify: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "modify", abstract: "Change a rule that is not locked.",
        discussion: """
            What is in the bin already stays there as long as it was to.

            Example:
              varve bin rules modify 0123456789a --days 30
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The rule's id.") var id: String
    @Option(help: "For how many days, 1 to 3650.") var days: Int?
    @Option(help: "What it is for; empty takes it away.") var description: String?

    func validate() throws {
        if days == nil, description == nil { throw ValidationError("Give --days or --description.") }
    }

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = [:]
        if let days { fields["days"] = .number(days) }
        if let description { fields["description"] = .text(description) }
        _ = try await client.callRaw("PATCH", "/bin-rules/\(Segment.of(id))", fields)
    }
}

/// `varve bin rules lock`
struct BinRuleLock: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock", abstract: "Keep a rule from being changed until some days after its unlocking.",
        discussion: """
            Only a rule that looks at no tags can be locked.

            Example:
              varve bin rules lock 0123456789a --unlock-days 14
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The rule's id.") var id: String
    @Option(help: "How many days, 7 to 30.") var unlockDays = 7

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw(
            "PUT", "/bin-rules/\(Segment.of(id))/lock", ["unlockDelayDays": .number(unlockDays)])
    }
}

/// `varve bin rules unlock`
struct BinRuleUnlock: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock", abstract: "Begin to unlock a rule, and print when it is.",
        discussion: """
            Example:
              varve bin rules unlock 0123456789a
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The rule's id.") var id: String

    func run(_ client: NativeClient) async throws {
        let rule: BinRuleView = try await client.call("DELETE", "/bin-rules/\(Segment.of(id))/lock")
        if let time = rule.unlocksAt { Output.line(LocalTime.text(time)) }
    }
}

/// `varve bin rules delete`
struct BinRuleDelete: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a rule that is not locked.",
        discussion: """
            What is in the bin stays there as long as it was to.

            Example:
              varve bin rules delete 0123456789a
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The rule's id.") var id: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("DELETE", "/bin-rules/\(Segment.of(id))")
    }
}
