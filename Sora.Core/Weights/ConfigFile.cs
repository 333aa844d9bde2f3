using System.Text.Json;
using System.Text.Unicode;

namespace Sora.Weights;

/// <summary>
/// Turns the text of a JSON file into a configuration, and every way in which that fails into one kind of error.
/// </summary>
internal static class ConfigFile
{
    /// <summary>Configurations take a few KB, the index of the largest published model 100 KB.</summary>
    private const int LongestFile = 32 << 20;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    public static T Load<T>(string path, Func<ConfigFields, T> read) => Parse(ReadBytes(path), path, read);

    /// <param name="json">The text.</param>
    /// <param name="source">The file's name, for messages.</param>
    /// <param name="read">Makes the result of the fields.</param>
    public static T Parse<T>(string json, string source, Func<ConfigFields, T> read)
    {
        ArgumentNullException.ThrowIfNull(json);
        return Parse(System.Text.Encoding.UTF8.GetBytes(json), source, read);
    }

    public static T Parse<T>(ReadOnlyMemory<byte> json, string source, Func<ConfigFields, T> read)
    {
        if (!Utf8.IsValid(json.Span))
            throw new SoraException($"{source}: not valid UTF-8.");
        if (json.Span.StartsWith("\uFEFF"u8))
            json = json["\uFEFF"u8.Length..];
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new SoraException(
                    $"the file holds {ConfigFields.Show(document.RootElement)}; an object is needed.");
            T result = read(new ConfigFields(document.RootElement));
            (result as ModelConfig)?.Validate();
            return result;
        }
        catch (SoraException e)
        {
            throw new SoraException($"{source}: {e.Message}", e);
        }
        // InvalidOperationException is how JsonElement reports "\uD800" without its second half.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new SoraException($"{source}: not valid JSON: {e.Message}", e);
        }
    }

    private static byte[] ReadBytes(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            using FileStream stream = File.OpenRead(path);
            if (stream.Length > LongestFile)
                throw new SoraException(
                    $"{path}: {stream.Length} bytes are too many for a configuration; allowed: {LongestFile}.");
            byte[] bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new SoraException($"{path}: cannot be read: {e.Message}", e);
        }
    }
}
