internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve account ...`
struct AccountCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Make, list and delete accounts, whose things are kept apart.",
        subcommands: [AccountCreate.self, AccountList.self, AccountDelete.self, AccountPublicAccess.self])
}

/// `varve account create`
struct AccountCreate: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make an account and print its id.",
        discussion: """
            It has no key yet.

            Example:
              varve account create builders
              varve access-key create ci --account 234567890123 > ci-credentials
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "Its name, 1 to 128 characters.") var name: String

    func run(_ client: NativeClient) async throws {
        let account: AccountView = try await client.call("POST", "/accounts", ["name": .text(name)])
        Output.line(account.id)
    }
}

/// `varve account list`
struct AccountList: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the accounts; without the house's administrator key, one's own.",
        discussion: """
            Example:
              varve account list
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions

    private struct Answer: Decodable {
        let accounts: [AccountView]
    }

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("GET", "/accounts")
        if format.output == .json { return Output.json(bytes) }
        var table = Table("ID", "NAME", "CREATED")
        for account in (try NativeClient.read(bytes) as Answer).accounts {
            table.add(account.id, account.name, account.createdAt.map(LocalTime.text) ?? "")
        }
        table.lines.forEach(Output.line)
    }
}

/// `varve account delete`
struct AccountDelete: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete an account that owns nothing, and its keys.",
        discussion: """
            Example:
              varve account delete 234567890123
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The account's id.") var id: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("DELETE", "/accounts/\(Segment.of(id))")
    }
}
