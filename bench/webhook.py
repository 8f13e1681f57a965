"""The yardstick: a 2.5 KB webhook body of the usual shape, with sample values only.

Times are compared with `json.loads` of this body, which every host has to run anyway.
"""

from __future__ import annotations

import json

__all__ = ["BODY"]

_PAYLOAD = {
    "id": "3f9a52c1-7b2e-4d0a-9c45-1e6b8a7d2f30",
    "creation_date": 1746000000123,
    "event": "PURCHASE_APPROVED",
    "version": "2.0.0",
    "data": {
        "product": {
            "id": 1234567,
            "ucode": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
            "name": "Sample course",
            "support_email": "help@example.com",
            "has_co_production": False,
            "is_physical_product": False,
            "warranty_date": "2025-05-07T00:00:00Z",
            "content": {
                "has_physical_products": False,
                "products": [
                    {
                        "id": 4000000 + index,
                        "ucode": f"aaaaaaaa-bbbb-4ccc-8ddd-00000000000{index}",
                        "name": f"Sample part {index} of the course",
                        "is_physical_product": False,
                    }
                    for index in range(4)
                ],
            },
        },
        "affiliates": [{"affiliate_code": "", "name": ""}],
        "buyer": {
            "email": "ana@example.com",
            "name": "Ana Souza",
            "first_name": "Ana",
            "last_name": "Souza",
            "checkout_phone": "11900000000",
            "checkout_phone_code": "55",
            "document": "00000000000",
            "document_type": "CPF",
            "address": {
                "country": "Brasil",
                "country_iso": "BR",
                "state": "SP",
                "city": "Sample city",
                "neighborhood": "Centre",
                "zipcode": "00000000",
                "address": "Sample street",
                "number": "10",
                "complement": "",
            },
        },
        "producer": {
            "name": "Sample producer",
            "document": "00000000000000",
            "legal_nature": "LLC",
        },
        "commissions": [
            {"source": "MARKETPLACE", "value": 74.78, "currency_value": "BRL"},
            {"source": "PRODUCER", "value": 922.22, "currency_value": "BRL"},
        ],
        "purchase": {
            "transaction": "HP0000000001",
            "status": "APPROVED",
            "order_date": 1746000000000,
            "approved_date": 1746000004000,
            "date_next_charge": 1777536000000,
            "recurrence_number": 1,
            "full_price": {"value": 1194, "currency_value": "BRL"},
            "price": {"value": 997, "currency_value": "BRL"},
            "original_offer_price": {"value": 997, "currency_value": "BRL"},
            "payment": {"type": "CREDIT_CARD", "installments_number": 12},
            "offer": {"code": "abcd1234", "coupon_code": "SAMPLE10"},
            "checkout_country": {"name": "Brasil", "iso": "BR"},
            "origin": {"src": "newsletter", "sck": "spring-campaign"},
            "order_bump": {"is_order_bump": False},
            "invoice_by": "HOTMART",
            "is_funnel": False,
            "business_model": "I",
        },
        "subscription": {
            "status": "ACTIVE",
            "plan": {"id": 765432, "name": "Sample plan, yearly"},
            "subscriber": {"code": "ABCD1234"},
        },
    },
}

BODY = json.dumps(_PAYLOAD)
