namespace Sora.Weights;

/// <summary>An array in a GGUF file's metadata.</summary>
/// <param name="Type">The format's number for the type of its elements.</param>
/// <param name="Count">Its elements.</param>
/// <param name="Position">Where the first one begins in the file.</param>
internal sealed record GgufArray(uint Type, int Count, long Position)
{
    /// <summary>The type of texts.</summary>
    public const uint Text = 8;

    /// <summary>The format's number for a type.</summary>
    public static uint TypeOf<T>() where T : unmanaged =>
        default(T) switch
        {
            byte => 0,
            int => 5,
            float => 6,
            _ => throw new NotSupportedException($"Arrays of {typeof(T).Name} are not read."),
        };
}
