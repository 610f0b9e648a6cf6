/// `Wed, 25 Nov 2026 09:29:27 GMT`, the only form of RFC 9110 that is still written.
public enum HTTPDate {
    /// Nil for anything else.
    public static func instant(_ text: String) -> WallTime? {
        let words = text.split(separator: " ")
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard words.count == 6, words[5] == "GMT", let month = months.firstIndex(of: String(words[2])) else {
            return nil
        }
        return WallTime("\(words[3])-\(two(month + 1))-\(words[1])T\(words[4])Z")
    }

    private static func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
}
