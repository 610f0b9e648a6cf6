internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve policy ...`
struct PolicyCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Take snapshots by a schedule, and keep them as long as you say.",
        subcommands: [
            PolicyCreate.self, PolicyList.self, PolicyShow.self, PolicyChange.self, PolicyPause.self, PolicyResume.self,
            PolicyRun.self, PolicyDelete.self,
        ])
}

/// `varve policy create`
struct PolicyCreate: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a policy and print its id.",
        discussion: """
            Without a --keep option its snapshots stay for ever. What was missed while the server was down is caught up once.

            Examples:
              varve policy create --name nightly --tag backup=yes --every 24 --at 02:00 --keep 7
              varve policy create --instance i-0123456789abcdef0 --weekly monday,friday --at 03:00 --zone +08:00 --keep-for 30d
              varve policy create --tag backup=yes --every 24 --keep 7 --copy-to us-west-2 --copy-keep-for 12w
              varve policy create --images --tag backup=yes --every 24 --keep 7 --deprecate-but 3
              varve policy create --lacking-for 1 --every 24 --keep-for 7d
              varve policy create --tag backup=yes --cron 'cron(0 3 1 * ? *)' --keep 1 --archive 12
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var options: PolicyOptions
    @Flag(help: "Make it paused.") var paused = false

    func run(_ client: NativeClient) async throws {
        let fields: [String: NativeClient.Field] = ["plan": .value(try options.plan()), "isEnabled": .flag(!paused)]
        let policy: PolicyView = try await client.call("POST", "/policies", fields)
        Output.line(policy.id)
    }
}

/// `varve policy list`
struct PolicyList: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List every policy, oldest first, a line for each schedule, or one without.",
        discussion: """
            Example:
              varve policy list
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions

    private struct Answer: Decodable {
        let policies: [PolicyView]
    }

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("GET", "/policies")
        if format.output == .json { return Output.json(bytes) }
        var table = Table("ID", "NAME", "STATE", "SCHEDULE", "LAST RUN", "NEXT RUN", "KEEPS", ">KEPT")
        for policy in (try NativeClient.read(bytes) as Answer).policies {
            let name = policy.plan?.name ?? policy.plan?.description ?? ""
            if policy.standings.isEmpty { table.add(policy.id, name, policy.word, "", "", "", "", "") }
            for (schedule, standing) in zip(policy.plan?.schedules ?? [], policy.standings) {
                table.add(
                    policy.id, name, policy.word, schedule.name,
                    standing.lastAt.map(LocalTime.text) ?? "", standing.nextAt.map(LocalTime.text) ?? "",
                    schedule.retention.sentence, String(standing.keptCount))
            }
        }
        table.lines.forEach(Output.line)
    }
}

/// `varve policy show`
struct PolicyShow: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one policy.",
        discussion: """
            Example:
              varve policy show policy-0123456789abcdef0 --output json
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Argument(help: "The policy's id.") var id: String

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("GET", "/policies/\(Segment.of(id))")
        if format.output == .json { return Output.json(bytes) }
        let policy: PolicyView = try NativeClient.read(bytes)
        var facts = Facts()
        facts.add("id", policy.id)
        facts.add("name", policy.plan?.name)
        facts.add("description", policy.plan?.description)
        facts.add("state", policy.word)
        facts.add("problem", policy.problem)
        if let plan = policy.plan { Self.add(plan, policy.standings, to: &facts) }
        facts.add("created", LocalTime.text(policy.createdAt))
        facts.lines.forEach(Output.line)
    }

    private static func add(_ plan: PolicyPlan, _ standings: [PolicyView.Standing], to facts: inout Facts) {
        let tags = plan.targets.tags.map { "\($0.key)=\($0.value)" }
        if let lacking = plan.targets.lacking {
            facts.add(plan.targets.kind.rawValue, "without a backup of \(lacking.days) days")
        } else if let reaction = plan.reaction {
            facts.add("shared by", reaction.owners.joined(separator: ", "))
            facts.add("described as", reaction.description)
            for copy in reaction.copies {
                facts.add("  copies to", "\(copy.region), kept \(copy.retention.sentence)")
            }
        } else {
            facts.add(plan.targets.kind.rawValue, (tags + plan.targets.ids).joined(separator: ", "))
        }
        facts.add("makes", plan.product.rawValue)
        if plan.letsAllGo { facts.add("lets all go", "when its time is over, also paused or deleted") }
        for (schedule, standing) in zip(plan.schedules, standings) {
            facts.add(
                schedule.name,
                "\(schedule.when.sentence), keeps \(schedule.retention.sentence), has \(standing.keptCount)")
            for copy in schedule.copies { facts.add("  copies to", "\(copy.region), kept \(copy.retention.sentence)") }
            if let sharing = schedule.sharing {
                facts.add(
                    "  shares with", "\(sharing.accounts.joined(separator: ", ")), \(sharing.retention.sentence)")
            }
            if let fast = schedule.fastRestore {
                facts.add(
                    "  restores fast", "in \(fast.zones.joined(separator: ", ")), \(fast.retention.sentence)")
            }
            facts.add("  then archives", schedule.archive?.sentence)
            facts.add("  deprecates but", schedule.deprecation?.sentence)
            facts.add("  last run", standing.lastAt.map(LocalTime.text))
            facts.add("  next run", standing.nextAt.map(LocalTime.text))
        }
    }
}

/// `varve policy change`
struct PolicyChange: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "change", abstract: "Give a policy other targets, another schedule and another retention.",
        discussion: """
            What the options say replaces what was there. Snapshots of a schedule whose name goes stay, and are yours to delete.

            Example:
              varve policy change policy-0123456789abcdef0 --tag backup=yes --every 12 --keep 14
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var options: PolicyOptions
    @Argument(help: "The policy's id.") var id: String

    func run(_ client: NativeClient) async throws {
        let fields: [String: NativeClient.Field] = ["plan": .value(try options.plan())]
        _ = try await client.callRaw("PATCH", "/policies/\(Segment.of(id))", fields)
    }
}

/// `varve policy pause`
struct PolicyPause: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Let a policy take no snapshots and let none go.",
        discussion: """
            Example:
              varve policy pause policy-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The policy's id.") var id: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("PATCH", "/policies/\(Segment.of(id))", ["isEnabled": .flag(false)])
    }
}

/// `varve policy resume`
struct PolicyResume: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Let a paused policy go on. What would have come meanwhile is not caught up.",
        discussion: """
            Example:
              varve policy resume policy-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The policy's id.") var id: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("PATCH", "/policies/\(Segment.of(id))", ["isEnabled": .flag(true)])
    }
}

/// `varve policy run`
struct PolicyRun: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Take a policy's snapshots now, and print the task's id.",
        discussion: """
            Example:
              varve policy run policy-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The policy's id.") var id: String

    func run(_ client: NativeClient) async throws {
        let task: TaskView = try await client.call("POST", "/policies/\(Segment.of(id))/run")
        Output.line(task.id)
    }
}

/// `varve policy delete`
struct PolicyDelete: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Remove a policy. The snapshots it took stay.",
        discussion: """
            Example:
              varve policy delete policy-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The policy's id.") var id: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("DELETE", "/policies/\(Segment.of(id))")
    }
}

extension PolicyView {
    /// How it stands, in a word.
    fileprivate var word: String { isEnabled ? problem == nil ? "enabled" : "in trouble" : "paused" }
}
