internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve access-key ...`
struct AccessKeyCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "access-key", abstract: "Make, list, disable and delete the keys that requests are signed with.",
        subcommands: [
            AccessKeyCreate.self, AccessKeyList.self, AccessKeyDisable.self, AccessKeyEnable.self, AccessKeyDelete.self,
        ])
}

/// `varve access-key create`
struct AccessKeyCreate: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make an access key and print it, with its secret, this once.",
        discussion: """
            What is printed is a shared-credentials file as the cloud tools take it. The secret cannot be shown again.

            Examples:
              varve access-key create ci --role operator > ci-credentials
              AWS_SHARED_CREDENTIALS_FILE=ci-credentials aws configure list
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "Who is to hold it.") var principal: String
    @Option(
        help: ArgumentHelp(
            "administrator (everything in the account), operator (no keys) or reader (looking only).", valueName: "role"
        ))
    var role: String = Caller.Role.administrator.rawValue
    @Option(help: ArgumentHelp("Of another account, with the house's administrator key.", valueName: "id"))
    var account: String?

    func validate() throws {
        guard Caller.Role(rawValue: role) != nil else {
            throw ValidationError("The role '\(role)' is not administrator, operator or reader.")
        }
    }

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = ["principal": .text(principal), "role": .text(role)]
        if let account { fields["accountId"] = .text(account) }
        let key: AccessKeyView = try await client.call("POST", "/access-keys", fields)
        Output.line("[default]")
        Output.line("aws_access_key_id = \(key.id)")
        Output.line("aws_secret_access_key = \(key.secretAccessKey ?? "")")
    }
}

/// `varve access-key list`
struct AccessKeyList: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List an account's access keys, without their secrets.",
        discussion: """
            The key in the data directory's root-credentials is not among them.

            Example:
              varve access-key list
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Option(help: ArgumentHelp("Of another account, with the house's administrator key.", valueName: "id"))
    var account: String?

    private struct Answer: Decodable {
        let accessKeys: [AccessKeyView]
    }

    func run(_ client: NativeClient) async throws {
        let query = try account.map { try "?accountId=\(Segment.of($0))" } ?? ""
        let bytes = try await client.callRaw("GET", "/access-keys\(query)")
        if format.output == .json { return Output.json(bytes) }
        var table = Table("ID", "HOLDER", "ROLE", "ACTIVE", "CREATED")
        for key in (try NativeClient.read(bytes) as Answer).accessKeys {
            table.add(
                key.id, key.principal, key.role.rawValue, key.isActive ? "yes" : "no", LocalTime.text(key.createdAt))
        }
        table.lines.forEach(Output.line)
    }
}

/// `varve access-key disable`
struct AccessKeyDisable: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable", abstract: "Accept a key no more, until it is enabled again.",
        discussion: """
            Example:
              varve access-key disable VARVABCDEFGHIJKLMNOP
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The key's id.") var id: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("PATCH", "/access-keys/\(Segment.of(id))", ["isActive": .flag(false)])
    }
}

/// `varve access-key enable`
struct AccessKeyEnable: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable", abstract: "Accept a disabled key again.",
        discussion: """
            Example:
              varve access-key enable VARVABCDEFGHIJKLMNOP
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The key's id.") var id: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("PATCH", "/access-keys/\(Segment.of(id))", ["isActive": .flag(true)])
    }
}

/// `varve access-key delete`
struct AccessKeyDelete: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete an access key for good.",
        discussion: """
            Example:
              varve access-key delete VARVABCDEFGHIJKLMNOP
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The key's id.") var id: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("DELETE", "/access-keys/\(Segment.of(id))")
    }
}
