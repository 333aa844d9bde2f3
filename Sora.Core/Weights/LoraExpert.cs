namespace Sora.Weights;

/// <summary>Which transformers of a model a LoRA changes. Models with one transformer know <see cref="All"/> only.</summary>
public enum LoraExpert
{
    /// <summary>Every transformer.</summary>
    All,

    /// <summary>The expert of the first steps, above the model's boundary ratio (<c>transformer</c>).</summary>
    HighNoise,

    /// <summary>The expert of the last steps (<c>transformer_2</c>).</summary>
    LowNoise,
}
