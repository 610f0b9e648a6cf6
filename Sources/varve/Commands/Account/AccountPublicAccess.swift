internal import ArgumentParser
internal import ControlPlane

/// `varve account public-access`
struct AccountPublicAccess: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "public-access", abstract: "Show or settle whether the account's snapshots can be everybody's.",
        discussion: """
            unblocked: they can. block-new-sharing: no more of them. block-all-sharing: those that are public are hidden
            as well, until this is taken back.

            Example:
              varve account public-access block-all-sharing
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "What is to hold from now on; without it, what holds is shown.") var access: String?

    private struct Answer: Decodable {
        let publicAccess: PublicAccess
    }

    func validate() throws {
        if let access, PublicAccess(rawValue: access) == nil {
            let known = PublicAccess.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("Public access is '\(access)'; it is one of \(known).")
        }
    }

    func run(_ client: NativeClient) async throws {
        let answer: Answer =
            if let access {
                try await client.call("PATCH", "/public-access", ["publicAccess": .text(access)])
            } else {
                try await client.call("GET", "/public-access")
            }
        Output.line(answer.publicAccess.rawValue)
    }
}
