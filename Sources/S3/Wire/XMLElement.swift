/// One element of a small XML document: what an S3 server answers.
///
/// Names are without their namespace's prefix, attributes are dropped, text is unescaped. A document type, more than 32
/// levels, or anything after the root is refused: no answer of a store has them.
struct XMLElement: Equatable {
    var name: String
    /// The text directly inside, all pieces joined.
    var text = ""
    var children: [XMLElement] = []

    init(_ name: String) { self.name = name }

    /// The text of the first child of this name.
    subscript(_ name: String) -> String? { children.first { $0.name == name }?.text }

    /// Every child of this name.
    func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

    /// Reads a whole document; nil if it is not one.
    static func read(_ bytes: [UInt8]) -> XMLElement? {
        var reader = XMLReader(bytes)
        var open: [XMLElement] = []
        var root: XMLElement?
        while let token = reader.next() {
            switch token {
            case .open(let name):
                guard root == nil, open.count < 32 else { return nil }
                open.append(XMLElement(name))
            case .text(let text):
                if let last = open.indices.last { open[last].text += text }
            case .close(let name):
                guard var done = open.popLast(), done.name == name else { return nil }
                if !done.children.isEmpty { done.text = "" }
                if let last = open.indices.last { open[last].children.append(done) } else { root = done }
            case .wrong: return nil
            }
        }
        return open.isEmpty ? root : nil
    }

    /// `text` with the five special characters escaped, whatever mark combines with them.
    static func escaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;".unicodeScalars
            case "<": result += "&lt;".unicodeScalars
            case ">": result += "&gt;".unicodeScalars
            case "\"": result += "&quot;".unicodeScalars
            case "'": result += "&apos;".unicodeScalars
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}
