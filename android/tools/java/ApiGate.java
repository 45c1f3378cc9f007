import java.io.File;
import java.io.FileInputStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Set;
import java.util.jar.JarFile;
import org.codehaus.mojo.animal_sniffer.SignatureChecker;
import org.codehaus.mojo.animal_sniffer.logging.PrintWriterLogger;

/**
 * Refuses a jar that calls methods which an API level of Android does not have.
 *
 * <p>It does not see interfaces that a class got later, such as AutoCloseable of SQLiteOpenHelper.
 */
public final class ApiGate {
    /** Arguments: the signature of the API level, and the jar. */
    public static void main(String[] arguments) throws Exception {
        Set<String> ignored = new HashSet<>();
        ignored.add("kotlin.*");
        ignored.add("org.sartor.*");
        ignored.add("org.tensorflow.lite.*");
        SignatureChecker checker =
            new SignatureChecker(new FileInputStream(arguments[0]), ignored, new PrintWriterLogger(System.err));
        checker.setSourcePath(new ArrayList<>());
        checker.setCheckJars(true);
        checker.process(new File(arguments[1]));
        System.exit(checker.isSignatureBroken() ? 1 : 0);
    }
}
