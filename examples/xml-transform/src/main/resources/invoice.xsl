<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output method="html" indent="no"/>
  <xsl:key name="by-customer" match="invoice" use="@customer"/>
  <xsl:template match="/invoices">
    <html><body>
      <xsl:for-each select="invoice[generate-id() = generate-id(key('by-customer', @customer)[1])]">
        <xsl:sort select="@customer"/>
        <section>
          <h2><xsl:value-of select="@customer"/></h2>
          <xsl:apply-templates select="key('by-customer', @customer)">
            <xsl:sort select="@date" order="descending"/>
          </xsl:apply-templates>
          <p>Total: <xsl:value-of select="format-number(sum(key('by-customer', @customer)/line/@amount), '#,##0.00')"/></p>
        </section>
      </xsl:for-each>
    </body></html>
  </xsl:template>
  <xsl:template match="invoice">
    <table>
      <caption><xsl:value-of select="concat(@number, ' of ', substring(@date, 1, 10))"/></caption>
      <xsl:for-each select="line[@amount &gt; 0]">
        <tr><td><xsl:value-of select="position()"/></td><td><xsl:value-of select="translate(@text, 'abc', 'ABC')"/></td>
        <td><xsl:value-of select="format-number(@amount, '0.00')"/></td></tr>
      </xsl:for-each>
    </table>
  </xsl:template>
</xsl:stylesheet>
