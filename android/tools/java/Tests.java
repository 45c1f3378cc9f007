import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.runner.Description;
import org.junit.runner.JUnitCore;
import org.junit.runner.Request;
import org.junit.runner.manipulation.Filter;
import org.junit.runner.notification.Failure;
import org.junit.runner.notification.RunListener;

/** Runs the JUnit tests of a folder of classes, and prints each test with its duration. */
public final class Tests {
    /** Arguments: the folder; then names of classes or methods, such as `StoreTest` or `StoreTest.reopens`. */
    public static void main(String[] arguments) throws Exception {
        List<String> names = Arrays.asList(arguments).subList(1, arguments.length);
        List<Class<?>> classes = new ArrayList<>();
        for (String name : testClasses(Path.of(arguments[0]))) {
            classes.add(Class.forName(name, false, Tests.class.getClassLoader()));
        }
        JUnitCore core = new JUnitCore();
        Report report = new Report();
        core.addListener(report);
        Request request = Request.classes(classes.toArray(new Class<?>[0]));
        if (!names.isEmpty()) {
            request = request.filterWith(new NameFilter(names));
        }
        core.run(request);
        System.out.printf("%d tests, %d failures, %d skipped%n", report.count, report.failures, report.skipped);
        boolean isStrict = System.getenv("CI") != null && names.isEmpty();
        boolean isGood = report.failures == 0 && report.count > 0 && !(isStrict && report.unexpected > 0);
        System.exit(isGood ? 0 : 1);
    }

    private static List<String> testClasses(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.map(file -> folder.relativize(file).toString())
                .filter(name -> name.endsWith("Test.class"))
                .map(name -> name.replace(File.separatorChar, '.').replaceAll("\\.class$", ""))
                .sorted().toList();
        }
    }

    private static final class NameFilter extends Filter {
        private final List<String> names;

        NameFilter(List<String> names) {
            this.names = names;
        }

        @Override public boolean shouldRun(Description description) {
            if (description.isSuite()) {
                return description.getChildren().stream().anyMatch(this::shouldRun);
            }
            String type = description.getTestClass().getSimpleName();
            String method = description.getMethodName().replaceAll("\\[.*", "");
            return names.contains(type) || names.contains(type + "." + method);
        }

        @Override public String describe() {
            return "tests named " + names;
        }
    }

    private static final class Report extends RunListener {
        int count;
        int failures;
        int skipped;
        /** Number of skipped tests that CI must run: all but those with photos of ../shared. */
        int unexpected;
        private long start;
        private boolean good;

        @Override public void testStarted(Description test) {
            start = System.nanoTime();
            good = true;
            count++;
        }

        @Override public void testFailure(Failure failure) {
            good = false;
            failures++;
            System.out.println("FAILED " + name(failure.getDescription()));
            System.out.println(failure.getTrimmedTrace());
        }

        @Override public void testAssumptionFailure(Failure failure) {
            good = false;
            skipped++;
            if (!String.valueOf(failure.getMessage()).contains("/shared/")) {
                unexpected++;
            }
            System.out.println("NOT RUN " + name(failure.getDescription()) + ": " + failure.getMessage());
        }

        @Override public void testIgnored(Description test) {
            skipped++;
            unexpected++;
            System.out.println("NOT RUN " + name(test));
        }

        @Override public void testFinished(Description test) {
            if (good) {
                System.out.printf("%6.1f s  %s%n", (System.nanoTime() - start) / 1e9, name(test));
            }
        }

        private static String name(Description test) {
            String type = test.getClassName();
            return type.substring(type.lastIndexOf('.') + 1) + "." + test.getMethodName();
        }
    }
}
