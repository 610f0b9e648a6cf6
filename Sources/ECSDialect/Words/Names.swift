/// What names and descriptions may be.
enum Names {
    /// 2 to 128 characters: a letter first, then letters, digits and `: _ . -`.
    static func isName(_ text: String) -> Bool {
        guard (2...128).contains(text.unicodeScalars.count), !isURL(text), let first = text.unicodeScalars.first,
            first.properties.isAlphabetic
        else { return false }
        return text.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || [":", "_", ".", "-"].contains(scalar)
        }
    }

    /// The name under `key`; nil: none is given.
    static func name(
        _ key: String, _ parameters: ECSParameters, orElse failure: ECSFailure
    ) throws(ECSFailure) -> String? {
        guard let text = parameters[key] else { return nil }
        guard isName(text) else { throw failure }
        return text
    }

    /// A snapshot's name: those that begin with `auto` are for policies.
    static func snapshotName(_ parameters: ECSParameters) throws(ECSFailure) -> String? {
        let name = try name("SnapshotName", parameters, orElse: .snapshotName)
        guard name?.hasPrefix("auto") != true else { throw .snapshotName }
        return name
    }

    /// 2 to 256 characters, or where `isEmptyAllowed`, none at all.
    static func description(
        _ parameters: ECSParameters, status: Int = 404, isEmptyAllowed: Bool = false
    ) throws(ECSFailure) -> String? {
        guard let text = parameters.raw("Description") else { return nil }
        if text.isEmpty { return isEmptyAllowed ? "" : nil }
        guard ((isEmptyAllowed ? 0 : 2)...256).contains(text.unicodeScalars.count), !isURL(text) else {
            throw .description(status)
        }
        return text
    }

    static func isURL(_ text: String) -> Bool { text.hasPrefix("http://") || text.hasPrefix("https://") }
}
