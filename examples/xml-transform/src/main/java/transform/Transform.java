package transform;

import java.io.StringReader;
import java.io.StringWriter;
import javax.xml.XMLConstants;
import javax.xml.parsers.SAXParserFactory;
import javax.xml.transform.Templates;
import javax.xml.transform.TransformerException;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.sax.SAXSource;
import javax.xml.transform.stream.StreamResult;
import javax.xml.transform.stream.StreamSource;
import org.xml.sax.InputSource;

/** invoice.xsl, compiled once; for any number of threads. */
final class Transform {
    private final Templates templates;
    private final SAXParserFactory parsers = SAXParserFactory.newInstance();

    Transform() throws Exception {
        parsers.setNamespaceAware(true);
        parsers.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
        parsers.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        TransformerFactory factory = TransformerFactory.newInstance();
        factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
        templates = factory.newTemplates(new StreamSource(Transform.class.getResourceAsStream("/invoice.xsl")));
    }

    String apply(String document) throws Exception {
        SAXSource source =
                new SAXSource(parsers.newSAXParser().getXMLReader(), new InputSource(new StringReader(document)));
        StringWriter text = new StringWriter();
        try {
            templates.newTransformer().transform(source, new StreamResult(text));
        } catch (TransformerException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
        return text.toString();
    }
}
