internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve key list`
struct KeyList: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the keys that the server has or that something needs.",
        discussion: """
            Example:
              varve key list
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions

    private struct Answer: Decodable {
        let keys: [KeyView]
    }

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("GET", "/keys")
        if format.output == .json { return Output.json(bytes) }
        var table = Table("ID", "HERE", "DEFAULT", ">LINEAGES")
        for key in (try NativeClient.read(bytes) as Answer).keys {
            table.add(key.id, key.isHere ? "yes" : "no", key.isDefault ? "yes" : "", String(key.dataKeyCount))
        }
        table.lines.forEach(Output.line)
    }
}
