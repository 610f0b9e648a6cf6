internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve quota ...`
struct QuotaCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quota", abstract: "Show or set how much of what an account may have in a region.",
        subcommands: [QuotaList.self, QuotaSet.self])
}

/// `varve quota list`
struct QuotaList: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the quotas and what holds.",
        discussion: """
            Example:
              varve quota list --account 234567890123
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Option(help: "Another account, for the house's administrator.") var account: String?

    private struct Answer: Decodable {
        let quotas: [QuotaView]
    }

    func run(_ client: NativeClient) async throws {
        let query = try account.map { "?account=\(try QueryValue.of($0))" } ?? ""
        let bytes = try await client.callRaw("GET", "/quotas\(query)")
        if format.output == .json { return Output.json(bytes) }
        var table = Table("QUOTA", ">VALUE", ">STANDARD")
        for one in (try NativeClient.read(bytes) as Answer).quotas {
            table.add(one.quota.rawValue, String(one.value), String(one.standard))
        }
        table.lines.forEach(Output.line)
    }
}

/// `varve quota set`
struct QuotaSet: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Set a quota of an account, or bring back the standard.",
        discussion: """
            For the house's administrator. What the account has already stays.

            Examples:
              varve quota set snapshots 1000 --account 234567890123
              varve quota set snapshots standard --account 234567890123
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The quota's name.") var name: String
    @Argument(help: "How much, or standard.") var value: String
    @Option(help: "The account; by default one's own.") var account: String?

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = [:]
        if value != "standard" {
            guard let number = Int(value) else {
                throw CommandFailure.usage("'\(value)' is neither a number nor standard")
            }
            fields["value"] = .number(number)
        }
        if let account { fields["accountId"] = .text(account) }
        _ = try await client.callRaw("PUT", "/quotas/\(Segment.of(name))", fields)
    }
}
