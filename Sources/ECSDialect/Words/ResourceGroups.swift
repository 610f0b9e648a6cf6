internal import ControlPlane

/// In which resource groups the caller's objects are: read once for a whole list.
///
/// There is no action here that makes a group: any id of the right form names one. What is in none is in the account's default one,
/// whose id is made of the account's.
struct ResourceGroups {
    private let byObject: [String: String]
    private let ordinary: String

    init(_ call: ECSCall) async throws {
        byObject = try await call.verbs.resourceGroups.all()
        ordinary = Self.ordinary(call)
    }

    /// The id of the group that an object of the caller's is in.
    func name(of object: String) -> String { byObject[object] ?? ordinary }

    /// The one that `ResourceGroupId` asks for what is made or moved; nil: the default one.
    static func wanted(_ call: ECSCall) throws(ECSFailure) -> String? {
        guard let text = try filter(call), text != ordinary(call) else { return nil }
        return text
    }

    /// What `ResourceGroupId` wants of a list; nil: anything.
    static func filter(_ call: ECSCall) throws(ECSFailure) -> String? {
        guard let text = call.parameters["ResourceGroupId"] else { return nil }
        let rest = text.dropFirst("rg-".count)
        guard text.hasPrefix("rg-"), (1...digits).contains(rest.utf8.count), rest.utf8.allSatisfy(isDigit) else {
            throw ECSFailure(
                404, "InvalidResourceGroup.NotFound", "The ResourceGroup provided does not exist in our records.")
        }
        return text
    }

    private static let digits = 20

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func ordinary(_ call: ECSCall) -> String {
        let account = call.caller.account.suffix(digits)
        return "rg-" + String(repeating: "0", count: digits - account.utf8.count) + account
    }
}
