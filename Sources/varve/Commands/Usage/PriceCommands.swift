internal import ArgumentParser
internal import ControlPlane
internal import Foundation
internal import Terminal

/// `varve prices ...`
struct PriceCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prices", abstract: "Show or set what space costs.",
        subcommands: [PriceShow.self, PriceSet.self])
}

/// `varve prices show`
struct PriceShow: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what a GiB-month of each kind costs.",
        discussion: """
            Example:
              varve prices show --output json > prices.json
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("GET", "/prices")
        if format.output == .json { return Output.json(bytes) }
        let prices: PriceTable = try NativeClient.read(bytes)
        var table = Table("REGION", "WHAT", ">\(prices.currency) PER GIB-MONTH")
        for (region, some) in prices.regions.sorted(by: { $0.key < $1.key }) {
            if let price = some.snapshot { table.add(region, "snapshot", "\(price)") }
            for (kind, price) in (some.volumes ?? [:]).sorted(by: { $0.key < $1.key }) {
                table.add(region, "volume \(kind)", "\(price)")
            }
        }
        table.lines.forEach(Output.line)
    }
}

/// `varve prices set`
struct PriceSet: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Set what space costs, from a file of JSON.",
        discussion: """
            For the house's administrator. The file holds all prices; what it does not name costs nothing. `*` stands for any
            other region or kind of volume:

              {"currency": "EUR", "regions": {"*": {"snapshot": 0.05, "volumes": {"gp3": 0.08, "*": 0.1}}}}

            Example:
              varve prices set prices.json
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The file.", completion: .file()) var file: String

    func run(_ client: NativeClient) async throws {
        guard let bytes = FileManager.default.contents(atPath: file) else {
            throw CommandFailure.usage("cannot read \(file)")
        }
        _ = try await client.send("PUT", "/prices", body: Array(bytes), type: "application/json")
    }
}
