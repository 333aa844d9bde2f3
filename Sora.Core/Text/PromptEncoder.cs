namespace Sora.Text;

/// <summary>Prompts to the vectors that the transformer reads: clean, tokenize, encode, zero the padding.</summary>
/// <param name="tokenizer">Splits prompts.</param>
/// <param name="encoder">The text encoder.</param>
/// <param name="length">The number of rows L that every prompt is padded or cut to.</param>
/// <param name="device">Where the encoder is.</param>
public sealed class PromptEncoder(PromptTokenizer tokenizer, UMT5Encoder encoder, int length, Device device)
{
    /// <summary>Encodes a prompt as [1, L, d_model], float32.</summary>
    /// <param name="prompt">The text; may be empty.</param>
    /// <param name="cut">Told the end of the prompt that does not fit, when there is one.</param>
    public Tensor Encode(string prompt, Action<TokenizedPrompt>? cut = null)
    {
        TokenizedPrompt tokens = tokenizer.Tokenize(prompt, length);
        if (tokens.IsCut)
            cut?.Invoke(tokens);
        var mask = new float[length];
        mask.AsSpan(0, tokens.Length).Fill(1);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        Tensor ids = tensor(Array.ConvertAll(tokens.Ids, id => (long)id), [1, length], device: device);
        return scope.MoveToOuter(encoder.Encode(ids, tensor(mask, [1, length], device: device)));
    }
}
