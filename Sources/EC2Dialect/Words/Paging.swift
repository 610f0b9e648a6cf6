internal import ControlPlane

/// A page of a list: `MaxResults` and `NextToken`.
///
/// A token holds the last id of the page before, so that what is made or deleted meanwhile moves nothing.
struct Paging: Sendable {
    /// How Amazon's messages speak of pages.
    enum Words {
        case usual
        /// Those of DescribeVolumesModifications.
        case modifications

        var limit: String {
            switch self {
            case .usual: "maxResults"
            case .modifications: "MaxResults"
            }
        }

        func badToken(_ token: String) -> EC2Failure {
            switch self {
            case .usual: .invalidValue("Unable to parse pagination token")
            case .modifications:
                .invalidValue("Value ( \(token) ) for parameter NextToken is invalid. The token is Invalid.")
            }
        }
    }

    /// Items of a page; nil: all.
    let limit: Int?
    /// The last id of the page before; nil: this is the first.
    let after: String?

    /// - Parameters:
    ///   - ids: the name by which Amazon's messages call the list of ids, if the request names any: both at once are refused.
    ///   - words: how the action's messages speak of pages.
    init(
        _ call: EC2Call, ids: String?, atLeast least: Int = 5, atMost most: Int = 1000, words: Words = .usual
    ) throws(EC2Failure) {
        let wanted = try call.parameters.number("MaxResults")
        let token = call.parameters["NextToken"].flatMap { $0.isEmpty ? nil : $0 }
        if let wanted, wanted < least {
            throw .invalidValue(
                "Value ( \(wanted) ) for parameter \(words.limit) is invalid. Expecting a value greater than \(least).")
        }
        if let ids, wanted != nil {
            throw .combination("The parameter \(ids) cannot be used with the parameter maxResults")
        }
        if let ids, token != nil {
            throw .combination("The parameter \(ids) cannot be used with the parameter nextToken")
        }
        // None at all is as much as may be.
        limit = wanted.map { $0 == 0 ? most : min($0, most) }
        after = try token.map { (token) throws(EC2Failure) in
            guard let key = Self.read(token, call) else { throw words.badToken(token) }
            return key
        }
    }

    /// The page of `items`, which are in the order of a key that tells each from the others, and the token of the next.
    ///
    /// - Parameter reached: these are not all: what follows has later keys than this.
    func page<Item>(
        of items: [Item], _ call: EC2Call, reached: String? = nil, _ key: (Item) -> String
    ) -> (items: [Item], next: String?) {
        var rest = items[...]
        if let after { rest = rest.drop { key($0) <= after } }
        guard let limit, rest.count > limit else { return (Array(rest), reached.map { Self.token($0, call) }) }
        let page = Array(rest.prefix(limit))
        return (page, page.last.map { Self.token(key($0), call) })
    }

    /// Bound to account, region and action, so that one is not read for another's.
    private static func seal(_ call: EC2Call) -> String {
        "\(call.caller.account)/\(call.region.name)/\(call.parameters["Action"] ?? "")"
    }

    private static func token(_ key: String, _ call: EC2Call) -> String {
        let digits = Array("0123456789abcdef")
        return String(Array("\(seal(call))/\(key)".utf8).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    /// Nil: it is none, or another's.
    private static func read(_ token: String, _ call: EC2Call) -> String? {
        var bytes: [UInt8] = []
        var rest = token.utf8[...]
        while rest.count >= 2, let byte = UInt8(String(Substring(rest.prefix(2))), radix: 16) {
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard rest.isEmpty, text.hasPrefix(seal(call) + "/") else { return nil }
        return String(text.dropFirst(seal(call).count + 1))
    }
}
