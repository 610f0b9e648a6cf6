import TestSupport
import Testing

@testable import KingsoftDialect

@Suite struct CompatibilityTests {
    @Test("docs/compatibility.md says what Kingsoft's routing table says (VARVE_WRITE_DOCS=1 writes it)")
    func page() throws {
        try GeneratedTable("kingsoft actions", in: "docs/compatibility.md").check(Compatibility.table)
    }
}
