namespace Sora.Training.Data;

/// <summary>
/// Clips to train on, each at a size, length and rate of its own. The same index is the same clip for as long as the data
/// do not change; safe for several threads.
/// </summary>
public interface IClipSource
{
    /// <summary>What it is, for a log.</summary>
    string Description { get; }

    /// <summary>The number of clips.</summary>
    int Count { get; }

    /// <summary>The words of all captions, lower case, with how often each occurs: for building a tokenizer.</summary>
    IReadOnlyDictionary<string, long> Vocabulary { get; }

    /// <summary>What a clip is.</summary>
    ClipInfo Info(int clip);

    /// <summary>A clip's captions.</summary>
    ClipCaptions Captions(int clip);

    /// <summary>Draws or decodes a clip.</summary>
    /// <param name="clip">Which.</param>
    /// <param name="cancellationToken">Stops the decoder at once.</param>
    /// <returns>RGB24, [T, H, W, 3].</returns>
    /// <exception cref="SoraException">The clip's file has changed, is gone or is damaged.</exception>
    byte[] Draw(int clip, CancellationToken cancellationToken);

    /// <summary>Draws what is where in a clip, for a training with <see cref="FlowTrainingConfig.SemanticMap"/>.</summary>
    /// <param name="clip">Which.</param>
    /// <param name="cell">Pixels and frames of a cell: the autoencoder's strides.</param>
    /// <returns>The channels [C, t, h, w], one after the other; null where it is not known, as by default.</returns>
    float[]? DrawMap(int clip, ClipStrides cell) => null;
}
