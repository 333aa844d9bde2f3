namespace Sora.Weights;

/// <summary>How the matrices of a transformer are stored in a GGUF file that Sora writes.</summary>
public enum WeightQuantization
{
    /// <summary>8 bits and a scale for 32 numbers: <c>q8_0</c>, 8.5 bits a number.</summary>
    Q8_0,

    /// <summary>4 bits; 6-bit scales and least values for 32 numbers, in blocks of 256: <c>q4_k</c>, 4.5 bits a number.</summary>
    Q4_K,
}

/// <summary>The names of <see cref="WeightQuantization"/>, and its types.</summary>
public static class WeightQuantizations
{
    private static readonly NamedValues<WeightQuantization> Values = new("Quantization",
        ("q8_0", WeightQuantization.Q8_0),
        ("q4_k", WeightQuantization.Q4_K));

    /// <summary>The quantisation of this name, in any letter case.</summary>
    /// <exception cref="SoraException">It is unknown, or Sora reads it and does not write it; the message lists what is written.</exception>
    public static WeightQuantization Parse(string name) => Values.Parse(name);

    /// <summary>
    /// The type of a parameter. Matrices are quantised, and where a row is no whole number of blocks take the next type that
    /// fits, as llama.cpp's converter does; everything else is float32, as in the files that people have.
    /// </summary>
    internal static GgufType Stored(this WeightQuantization quantization, NetworkParameter parameter)
    {
        if (parameter.StaysFloat || parameter.Shape.Length != 2)
            return GgufType.F32;
        GgufType wanted = quantization == WeightQuantization.Q4_K ? GgufType.Q4_K : GgufType.Q8_0;
        return ((GgufType[])[wanted, GgufType.Q8_0, GgufType.F16]).First(type => parameter.Shape[1] % type.BlockElements() == 0);
    }

    /// <summary>The whole file's type (llama.h, enum llama_ftype): MOSTLY_Q8_0 and MOSTLY_Q4_K_S.</summary>
    internal static uint FileType(this WeightQuantization quantization) => quantization == WeightQuantization.Q4_K ? 14u : 7u;
}
